// Sluice's conformance service called by Apache Thrift's Go library: HOST PORT TLS_PORT CA.
package main

import (
	"context"
	"conformance"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"

	"github.com/apache/thrift/lib/go/thrift"
)

var configuration = &thrift.TConfiguration{}

func require(holds bool, what string) error {
	if !holds {
		return fmt.Errorf("not so: %s", what)
	}
	return nil
}

func check(client *conformance.ConformanceClient) error {
	ctx := context.Background()
	if err := client.Ping(ctx); err != nil {
		return err
	}
	sample, err := client.Sample(ctx)
	if err != nil {
		return err
	}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, one := range []error{
		require(sample.Yes && !sample.No, "bools"),
		require(sample.LeastI8 == math.MinInt8 && sample.MostI64 == math.MaxInt64, "limits"),
		require(math.IsNaN(sample.NotANumber) && math.IsInf(sample.Infinity, 1), "doubles"),
		require(sample.Planes == "a \" \\ / é € \U0001f600", "planes"),
		require(string(sample.EveryByte) == string(every), "every_byte"),
		require(sample.Colour == conformance.Colour_GREEN && *sample.Choice.Text == "chosen", "names"),
		require(sample.Absent == nil && sample.Far == 6, "optional and default"),
	} {
		if one != nil {
			return one
		}
	}
	if negated, err := client.Negated(ctx, math.Inf(1)); err != nil || !math.IsInf(negated, -1) {
		return fmt.Errorf("negated: %v, %v", negated, err)
	}
	echoed, err := client.Echo(ctx, sample)
	if err != nil {
		return err
	}
	if different, err := client.Difference(ctx, echoed); err != nil || different != "" {
		return fmt.Errorf("difference in %q, %v", different, err)
	}
	sample.LeastI32++
	if different, err := client.Difference(ctx, sample); err != nil || different != "least_i32" {
		return fmt.Errorf("no difference: %q, %v", different, err)
	}
	if painted, err := client.EchoPainted(ctx, &conformance.Painted{Colour: 77}); err != nil || painted.Colour != 77 {
		return fmt.Errorf("painted %v, %v", painted, err)
	}
	if err := client.Note(ctx, "from Go"); err != nil {
		return err
	}
	refused, _ := client.Refuse(ctx, 7, "größer").(*conformance.Refused)
	return require(refused != nil && refused.Code == 7 && refused.Why == "größer", "refused")
}

func secured(ca string) *tls.Config {
	pem, err := os.ReadFile(ca)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool}
}

func connect(transport string, secure bool) (thrift.TTransport, error) {
	host, port := os.Args[1], os.Args[2]
	scheme := "http"
	client := &http.Client{}
	if secure {
		port, scheme = os.Args[3], "https"
		configuration.TLSConfig = secured(os.Args[4])
		client.Transport = &http.Transport{TLSClientConfig: configuration.TLSConfig}
	}
	if transport == "http" {
		return thrift.NewTHttpClientWithOptions(scheme+"://"+net.JoinHostPort(host, port)+"/",
			thrift.THttpClientOptions{Client: client})
	}
	var socket thrift.TTransport = thrift.NewTSocketConf(net.JoinHostPort(host, port), configuration)
	if secure {
		socket = thrift.NewTSSLSocketConf(net.JoinHostPort(host, port), configuration)
	}
	switch transport {
	case "framed":
		return thrift.NewTFramedTransportConf(socket, configuration), nil
	case "buffered":
		return thrift.NewTBufferedTransport(socket, 8192), nil
	}
	return socket, nil
}

func protocolOf(transport, protocol string, below thrift.TTransport) thrift.TProtocol {
	if transport == "header" {
		id := thrift.THeaderProtocolBinary
		if protocol == "compact" {
			id = thrift.THeaderProtocolCompact
		}
		return thrift.NewTHeaderProtocolConf(below, &thrift.TConfiguration{THeaderProtocolID: &id})
	}
	switch protocol {
	case "binary":
		return thrift.NewTBinaryProtocolConf(below, configuration)
	case "compact":
		return thrift.NewTCompactProtocolConf(below, configuration)
	}
	return thrift.NewTJSONProtocol(below)
}

func try(transport, protocol string, secure bool) error {
	below, err := connect(transport, secure)
	if err != nil {
		return err
	}
	if err = below.Open(); err != nil {
		return err
	}
	defer below.Close()
	wire := protocolOf(transport, protocol, below)
	return check(conformance.NewConformanceClient(thrift.NewTStandardClient(wire, wire)))
}

func main() {
	failures := 0
	for _, secure := range []bool{false, true} {
		for _, transport := range []string{"buffered", "framed", "http", "header"} {
			for _, protocol := range []string{"binary", "compact", "json"} {
				if transport == "header" && protocol == "json" {
					continue // the library has no such header
				}
				name := transport + " " + protocol + map[bool]string{false: " plain", true: " tls"}[secure]
				if err := try(transport, protocol, secure); err != nil {
					failures++
					fmt.Println("FAILED", name, err)
				} else {
					fmt.Println("ok", name)
				}
			}
		}
	}
	if failures > 0 {
		os.Exit(1)
	}
}
