/* A service whose handler misbehaves on request: what the tests call to see that the
 * daemon survives it.  Implemented in handlers/crash. */
namespace c_glib crash
namespace py crash

exception Declared {
  1: i32 code
  2: string text
}

service Crash {
  void ping(),
  i32 pid(),                                          // of the worker that runs the call

  // --- ends of the worker
  void segfault(),
  void do_abort(),
  void do_exit(1: i32 status),
  void overflow_stack(),
  void loop_forever(),                                // burns CPU until it is killed
  void leak(1: i32 bytes),                            // keeps that much memory for good
  oneway void segfault_oneway(),

  // --- outcomes of a call
  binary garbage(1: binary reply),                    // sends these bytes instead of a result
  void scribble(1: i32 seed),                         // random bytes over all of the shared ring
  void declared(1: i32 code, 2: string text) throws (1: Declared d),
  void plain_error(1: i32 code, 2: string text),      // FALSE with a GError
  void no_error(),                                    // FALSE with nothing
  string error_and_success(1: string text),           // TRUE with a GError set
  void exception_and_success() throws (1: Declared d),// TRUE with the exception set
  Declared null_struct(),                             // TRUE with a NULL struct: half a reply
  string null_string(),                               // TRUE with a NULL string
  binary large(1: i32 bytes),                         // a reply of so many bytes
  oneway void fail_oneway(1: string text),

  // --- what the handler can ask of the SDK
  i64 time_left_usec(),
  string method(),
  string peer(),
  string setting(1: string key),                      // of [settings NAME]; empty when absent
  string header(1: string name),                      // of the request; empty when absent
  bool set_reply_header(1: string name, 2: string value),
  void get_on(1: i32 msec, 2: i32 step_msec),         // rests so long, and says each step that it gets on
  void rest_protected(1: i32 msec, 2: i32 protect_msec), // rests in silence that it has announced
  void wait_for_cancel(1: i32 msec),                  // logs "cancelled" once it is, or gives up
  void log_lines(1: i32 count, 2: string text)
}
