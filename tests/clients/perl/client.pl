# Sluice's conformance service called by Apache Thrift's Perl library: HOST PORT TLS_PORT CA.
use strict;
use warnings;
use utf8;
use Thrift;
use Thrift::BinaryProtocol;
use Thrift::BufferedTransport;
use Thrift::FramedTransport;
use Thrift::HttpClient;
use Thrift::SSLSocket;
use Thrift::Socket;
use Conformance::Conformance;

my ($host, $port, $tls_port, $ca) = @ARGV;
# The library has no way to name an authority to LWP, which it calls by.
$ENV{PERL_LWP_SSL_CA_FILE} = $ca;

sub require_that {
    my ($holds, $what) = @_;
    die "not so: $what\n" unless $holds;
}

# The generated code reads a set into a hash and writes one from an array.
sub writable {
    my ($value) = @_;
    $value->{$_} = [ keys %{ $value->{$_} } ] for 'primes', 'tags';
    return $value;
}

sub check {
    my ($client) = @_;
    $client->ping();
    require_that($client->name() eq 'conformance', 'name');
    my $sample = $client->sample();
    require_that($sample->{yes} && !$sample->{no}, 'bools');
    require_that($sample->{least_i8} == -128 && $sample->{most_i64} == 9223372036854775807, 'limits');
    require_that($sample->{not_a_number} != $sample->{not_a_number}, 'NaN');
    require_that($sample->{every_byte} eq join('', map { chr } 0 .. 255), 'every_byte');
    require_that($sample->{choice}->{text} eq 'chosen', 'choice');
    require_that(join(',', sort keys %{ $sample->{primes} }) eq '2,3', 'primes');
    $sample = writable($sample);
    my $different = $client->difference(writable($client->echo($sample)));
    require_that($different eq '', "a difference in $different");
    $sample->{least_i32} += 1;
    require_that($client->difference($sample) eq 'least_i32', 'no difference');
    require_that($client->echo_painted(Conformance::Painted->new({ colour => 77 }))->{colour} == 77, 'colour');
    $client->note('from Perl');
    eval { $client->refuse(7, 'why') };
    require_that(ref $@ eq 'Conformance::Refused' && $@->{code} == 7 && $@->{why} eq 'why', 'refused');
}

sub socket_to {
    my ($secure) = @_;
    return Thrift::Socket->new($host, $port) unless $secure;
    return Thrift::SSLSocket->new({ host => $host, port => $tls_port, ca => $ca });
}

my %transports = (
    buffered => sub { Thrift::BufferedTransport->new(socket_to(@_)) },
    http     => sub {
        my ($secure) = @_;
        return Thrift::HttpClient->new($secure ? "https://$host:$tls_port/" : "http://$host:$port/");
    },
    framed   => sub { Thrift::FramedTransport->new(socket_to(@_)) },
);
my $failures = 0;
for my $secure (0, 1) {
    for my $transport (sort keys %transports) {
        my $name = "$transport binary " . ($secure ? 'tls' : 'plain');
        my $done = eval {
            my $below = $transports{$transport}->($secure);
            $below->open();
            check(Conformance::ConformanceClient->new(Thrift::BinaryProtocol->new($below)));
            $below->close();
            1;
        };
        my $why = $@;
        $why = $why->{message} if ref $why && $why->{message};
        print $done ? "ok $name\n" : "FAILED $name $why\n";
        $failures++ unless $done;
    }
}
exit($failures ? 1 : 0);
