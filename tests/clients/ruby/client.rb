# Sluice's conformance service called by Apache Thrift's Ruby library: HOST PORT TLS_PORT CA.
HOST, PORT, TLS_PORT, CA = ARGV
# The library has no way to name an authority to Net::HTTP, which reads this as openssl is loaded.
ENV['SSL_CERT_FILE'] = CA
require 'openssl'
require 'thrift'
require 'conformance'


def require_that(holds, what)
  raise "not so: #{what}" unless holds
end

def check(client)
  client.ping
  require_that(client.name == 'conformance', 'name')
  sample = client.sample
  require_that(sample.yes == true && sample.no == false, 'bools')
  require_that(sample.least_i8 == -128 && sample.most_i64 == 2**63 - 1, 'limits')
  require_that(sample.not_a_number.nan? && client.negated(Float::INFINITY) == -Float::INFINITY, 'doubles')
  # The library's JSON protocol leaves texts without their encoding.
  require_that(sample.planes.dup.force_encoding('UTF-8') == "a \" \\ / \u00e9 \u20ac \u{1f600}", 'planes')
  require_that(sample.every_byte.bytes == (0..255).to_a, 'every_byte')
  require_that(sample.choice.text == 'chosen' && sample.primes == Set[2, 3], 'names')
  different = client.difference(client.echo(sample))
  require_that(different == '', "a difference in #{different}")
  sample.least_i32 += 1
  require_that(client.difference(sample) == 'least_i32', 'no difference')
  require_that(client.echo_leaf(Conformance::Leaf.new(id: 5)).weight == 7, 'leaf')
  client.note('from Ruby')
  begin
    client.refuse(7, "gr\u00f6\u00dfer")
    raise 'not refused'
  rescue Conformance::Refused => e
    require_that(e.code == 7 && e.why.dup.force_encoding('UTF-8') == "gr\u00f6\u00dfer", 'refused')
  end
end

def socket_to(secure)
  return Thrift::Socket.new(HOST, PORT.to_i) unless secure

  context = OpenSSL::SSL::SSLContext.new
  context.ca_file = CA
  context.verify_mode = OpenSSL::SSL::VERIFY_PEER
  Thrift::SSLSocket.new(HOST, TLS_PORT.to_i, nil, context)
end

TRANSPORTS = { 'buffered' => Thrift::BufferedTransport, 'framed' => Thrift::FramedTransport }.freeze
PROTOCOLS = { 'binary' => Thrift::BinaryProtocol, 'compact' => Thrift::CompactProtocol,
              'json' => Thrift::JsonProtocol }.freeze

failures = 0
[false, true].product(TRANSPORTS.keys + ['http'], PROTOCOLS.keys).each do |secure, transport, protocol|
  name = "#{transport} #{protocol} #{secure ? 'tls' : 'plain'}"
  begin
    below = if transport == 'http'
              Thrift::HTTPClientTransport.new(secure ? "https://#{HOST}:#{TLS_PORT}/" : "http://#{HOST}:#{PORT}/")
            else
              TRANSPORTS[transport].new(socket_to(secure))
            end
    below.open
    check(Conformance::Conformance::Client.new(PROTOCOLS[protocol].new(below)))
    below.close
    puts "ok #{name}"
  rescue StandardError => e
    failures += 1
    puts "FAILED #{name} #{e.class} #{e.message} #{e.backtrace.first}"
  end
end
exit(failures.positive? ? 1 : 0)
