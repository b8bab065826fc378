/* The example service, implemented in handlers/calculator. */
namespace c_glib calc
namespace py calculator

exception OutOfRange {
  1: string message
}

service Calculator {
  void ping(),
  i32 add(1: i32 a, 2: i32 b),                       // wraps, as two's complement
  i64 fact(1: i32 n) throws (1: OutOfRange e),       // n! for n in 0..20
  binary echo(1: binary data),
  void sleep(1: i32 msec),                           // keeps one worker busy
  oneway void note(1: string text)                   // written to sluiced's log
}
