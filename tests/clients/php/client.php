<?php
// Sluice's conformance service called by Apache Thrift's PHP library: HOST PORT TLS_PORT CA.
spl_autoload_register(function ($class) {
    $path = '/usr/lib/php/' . str_replace('\\', '/', preg_replace('/^Thrift\\\\/', '', $class)) . '.php';
    if (str_starts_with($class, 'conformance\\')) {
        $path = getenv('GENERATED') . '/' . str_replace('\\', '/', $class) . '.php';
    }
    if (file_exists($path)) {
        require_once $path;
    }
});

use conformance\ConformanceClient;
use conformance\Refused;
use Thrift\Protocol\TBinaryProtocol;
use Thrift\Protocol\TCompactProtocol;
use Thrift\Protocol\TJSONProtocol;
use Thrift\Transport\TBufferedTransport;
use Thrift\Transport\TFramedTransport;
use Thrift\Transport\THttpClient;
use Thrift\Transport\TSocket;
use Thrift\Transport\TSSLSocket;

[, $host, $port, $tlsPort, $ca] = $argv;

function requireThat($holds, $what)
{
    if (!$holds) {
        throw new Exception("not so: $what");
    }
}

// The library's JSON protocol does not read -Infinity, cannot write what is no number, and leaves binaries in Base64, and its compact protocol reads each bool of a
// list as false.
function check($client, $protocol)
{
    $client->ping();
    requireThat($client->name() === 'conformance', 'name');
    $sample = $client->sample();
    requireThat($sample->yes === true && $sample->no === false, 'bools');
    requireThat($sample->least_i8 === -128 && $sample->most_i64 === PHP_INT_MAX, 'limits');
    requireThat(is_nan($sample->not_a_number) && $sample->infinity === INF, 'doubles');
    requireThat($sample->planes === "a \" \\ / é € \u{1f600}", 'planes');
    $everyByte = implode('', array_map('chr', range(0, 255)));
    requireThat($sample->every_byte === ($protocol === 'json' ? base64_encode($everyByte) : $everyByte), 'every_byte');
    requireThat($sample->choice->text === 'chosen' && $sample->far === 6, 'names');
    requireThat($protocol === 'json' || $client->negated(INF) === -INF, 'negated');
    if ($protocol === 'json') {
        $sample->not_a_number = $sample->infinity = null;
    }
    $echoed = $client->echo($sample);
    if ($protocol === 'compact') {
        $echoed->truths = $sample->truths = [true, false, true];
    }
    $different = $client->difference($echoed);
    requireThat($different === ($protocol === 'json' ? 'not_a_number' : ''), "a difference in $different");
    $sample->least_i32 += 1;
    requireThat($client->difference($sample) === 'least_i32', 'no difference');
    requireThat($client->echo_painted(new conformance\Painted(['colour' => 77]))->colour === 77, 'colour');
    $client->note('from PHP');
    try {
        $client->refuse(7, 'größer');
        throw new Exception('not refused');
    } catch (Refused $refused) {
        requireThat($refused->code === 7 && $refused->why === 'größer', 'refused');
    }
}

function transportOf($name, $secure)
{
    global $host, $port, $tlsPort, $ca;
    if ($name === 'http') {
        $context = ['ssl' => ['cafile' => $ca]];
        return $secure ? new THttpClient($host, $tlsPort, '/', 'https', $context) : new THttpClient($host, $port, '/');
    }
    $context = stream_context_create(['ssl' => ['cafile' => $ca]]);
    $socket = $secure ? new TSSLSocket($host, $tlsPort, $context) : new TSocket($host, $port);
    $socket->setRecvTimeout(60000);
    return $name === 'framed' ? new TFramedTransport($socket) : new TBufferedTransport($socket);
}

$protocols = ['binary' => TBinaryProtocol::class, 'compact' => TCompactProtocol::class, 'json' => TJSONProtocol::class];
$failures = 0;
foreach ([false, true] as $secure) {
    foreach (['buffered', 'framed', 'http'] as $transport) {
        foreach ($protocols as $protocol => $class) {
            if ($secure && $transport !== 'http' && !class_exists(TSSLSocket::class)) {
                continue; // Debian's package lacks it
            }
            $name = "$transport $protocol " . ($secure ? 'tls' : 'plain');
            try {
                $below = transportOf($transport, $secure);
                $below->open();
                check(new ConformanceClient(new $class($below)), $protocol);
                $below->close();
                echo "ok $name\n";
            } catch (Throwable $error) {
                $failures++;
                echo "FAILED $name ", get_class($error), ' ', $error->getMessage(), "\n";
            }
        }
    }
}
exit($failures > 0 ? 1 : 0);
