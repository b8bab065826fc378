// Sluice's conformance service called by Apache Thrift's Java library: HOST PORT TLS_PORT CA.
import conformance.*;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.http.impl.client.HttpClients;
import org.apache.thrift.protocol.*;
import org.apache.thrift.transport.*;
import org.apache.thrift.transport.layered.TFramedTransport;

public class Client {
    static void require(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static void check(Conformance.Client client) throws Exception {
        client.ping();
        require(client.name().equals("conformance"), "name");
        Everything sample = client.sample();
        require(sample.yes && !sample.no, "bools");
        require(sample.least_i8 == Byte.MIN_VALUE && sample.most_i64 == Long.MAX_VALUE, "limits");
        require(Double.isNaN(sample.not_a_number) && client.negated(sample.infinity) == Double.NEGATIVE_INFINITY, "doubles");
        require(sample.planes.equals("a \" \\ / \u00e9 \u20ac \ud83d\ude00"), "planes");
        byte[] bytes = sample.getEvery_byte();
        for (int i = 0; i < 256; i++) require(bytes[i] == (byte) i, "every_byte");
        require(sample.colour == Colour.GREEN && sample.choice.getText().equals("chosen"), "names");
        require(sample.primes.size() == 2 && !sample.isSetAbsent() && sample.far == 6, "others");
        require(client.difference(client.echo(sample)).isEmpty(), "difference");
        sample.setLeast_i32(sample.least_i32 + 1);
        require(client.difference(sample).equals("least_i32"), "no difference");
        require(client.echo_leaf(new Leaf().setId(5)).weight == 7, "leaf");
        client.note("from Java");
        try {
            client.refuse(7, "größer");
            throw new AssertionError("not refused");
        } catch (Refused refused) {
            require(refused.code == 7 && refused.why.equals("größer"), "refused");
        }
    }

    static SSLContext trusting(String authority) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream pem = new FileInputStream(authority)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trusted.getTrustManagers(), null);
        return context;
    }

    static TTransport transport(String name, String[] arguments, boolean secure) throws Exception {
        String host = arguments[0];
        int port = Integer.parseInt(arguments[secure ? 2 : 1]);
        SSLContext context = trusting(arguments[3]);
        if (name.equals("http"))
            return new THttpClient((secure ? "https" : "http") + "://" + host + ":" + port + "/",
                                   HttpClients.custom().setSSLContext(context).build());
        TTransport socket = secure ? new TSocket(context.getSocketFactory().createSocket(host, port))
                                   : new TSocket(host, port);
        if (!secure) socket.open();
        return name.equals("framed") ? new TFramedTransport(socket) : socket;
    }

    static TProtocol protocol(String name, TTransport below) {
        switch (name) {
            case "binary": return new TBinaryProtocol(below);
            case "compact": return new TCompactProtocol(below);
            default: return new TJSONProtocol(below);
        }
    }

    public static void main(String[] arguments) {
        int failures = 0;
        for (boolean secure : new boolean[] {false, true})
            for (String transport : new String[] {"buffered", "framed", "http"})
                for (String protocol : new String[] {"binary", "compact", "json"}) {
                    String name = transport + " " + protocol + (secure ? " tls" : " plain");
                    try {
                        TTransport below = transport(transport, arguments, secure);
                        check(new Conformance.Client(protocol(protocol, below)));
                        below.close();
                        System.out.println("ok " + name);
                    } catch (Throwable error) {
                        failures++;
                        System.out.println("FAILED " + name + " " + error);
                    }
                }
        System.exit(failures > 0 ? 1 : 0);
    }
}
