/* Counters with names, implemented in handlers/counter: an example of calls with a key. */
namespace c_glib counter
namespace py counter

exception Full {
  1: string message
}

service Counter {
  i64 add(1: string name, 2: i64 amount) throws (1: Full full),  // returns the new value
  i64 value(1: string name),                                     // 0: nobody has added to it
  // As add, but rests between reading the value and writing it: two at once would lose one.
  i64 slow_add(1: string name, 2: i64 amount, 3: i32 msec) throws (1: Full full)
}
