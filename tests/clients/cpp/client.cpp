// Sluice's conformance service called by Apache Thrift's C++ library: HOST PORT TLS_PORT CA.
#include "Conformance.h"
#include <cmath>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/THeaderProtocol.h>
#include <thrift/protocol/TJSONProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/THttpClient.h>
#include <thrift/transport/TSSLSocket.h>
#include <thrift/transport/TSocket.h>

using namespace apache::thrift;
using namespace apache::thrift::protocol;
using namespace apache::thrift::transport;
using namespace conformance;
using std::shared_ptr;
using std::string;

#define REQUIRE(what) \
    if (!(what))      \
        throw std::runtime_error(#what);

static void check(ConformanceClient &client)
{
    string text;
    client.ping();
    client.name(text);
    REQUIRE(text == "conformance");
    Everything sample, echoed;
    client.sample(sample);
    REQUIRE(sample.yes && !sample.no);
    REQUIRE(sample.least_i8 == -128 && sample.most_i8 == 127);
    REQUIRE(sample.least_i64 == std::numeric_limits<int64_t>::min());
    REQUIRE(std::isnan(sample.not_a_number) && client.negated(INFINITY) == -INFINITY);
    REQUIRE(sample.planes == "a \" \\ / \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    REQUIRE(sample.every_byte.size() == 256 && sample.every_byte[0] == 0);
    REQUIRE(sample.colour == Colour::GREEN && sample.choice.text == "chosen");
    REQUIRE(sample.primes == (std::set<int32_t>{ 2, 3 }) && !sample.__isset.absent);
    client.difference(text, sample);
    REQUIRE(text == "");
    client.echo(echoed, sample);
    client.difference(text, echoed);
    REQUIRE(text == "");
    sample.least_i32++;
    client.difference(text, sample);
    REQUIRE(text == "least_i32");
    Painted painted;
    painted.__set_colour(static_cast<Colour::type>(77));
    client.echo_painted(painted, painted);
    REQUIRE(painted.colour == 77);
    try {
        client.refuse(7, "gr\xc3\xb6\xc3\x9f" "er");
        REQUIRE(!"refused");
    } catch (const Refused &refused) {
        REQUIRE(refused.code == 7 && refused.why == "gr\xc3\xb6\xc3\x9f" "er");
    }
    // Nothing after it: over HTTP the library takes its answer for that of the next call.
    client.note("from C++");
}

static shared_ptr<TTransport> transport_of(const string &name, const shared_ptr<TTransport> &socket,
                                           const string &host)
{
    if (name == "buffered")
        return std::make_shared<TBufferedTransport>(socket);
    if (name == "framed")
        return std::make_shared<TFramedTransport>(socket);
    if (name == "http")
        return std::make_shared<THttpClient>(socket, host, "/");
    return socket;
}

static shared_ptr<TProtocol> protocol_of(const string &transport, const string &name,
                                         const shared_ptr<TTransport> &below)
{
    if (transport == "header") {
        auto header = std::make_shared<THeaderProtocol>(below);
        header->setProtocolId(name == "compact" ? T_COMPACT_PROTOCOL : T_BINARY_PROTOCOL);
        return header;
    }
    if (name == "binary")
        return std::make_shared<TBinaryProtocol>(below);
    if (name == "compact")
        return std::make_shared<TCompactProtocol>(below);
    return std::make_shared<TJSONProtocol>(below);
}

int main(int, char **arguments)
{
    const string host = arguments[1];
    TSSLSocketFactory factory;
    factory.loadTrustedCertificates(arguments[4]);
    factory.authenticate(true);
    int failures = 0;
    for (const bool secure : { false, true })
        for (const string transport : { "buffered", "framed", "http", "header" })
            for (const string protocol : { "binary", "compact", "json" }) {
                if (transport == "header" && protocol == "json")
                    continue; // the library has no such header
                const string name = transport + " " + protocol + (secure ? " tls" : " plain");
                try {
                    shared_ptr<TTransport> socket;
                    if (secure)
                        socket = factory.createSocket(host, std::stoi(arguments[3]));
                    else
                        socket = std::make_shared<TSocket>(host, std::stoi(arguments[2]));
                    const auto below = transport_of(transport, socket, host);
                    below->open();
                    ConformanceClient client(protocol_of(transport, protocol, below));
                    check(client);
                    below->close();
                    std::cout << "ok " << name << std::endl;
                } catch (const std::exception &error) {
                    failures++;
                    std::cout << "FAILED " << name << " " << error.what() << std::endl;
                }
            }
    return failures > 0;
}
