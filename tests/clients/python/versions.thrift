/* idl/conformance.thrift as clients of other versions have it.  A newer one has fields of every type,
 * a value of an enum, arguments and a method that the service does not know; an older one does not
 * know most of what the service sends. */
namespace py versions

enum Colour { RED = 1, GREEN = 2, ULTRAVIOLET = 77 }

struct Extra {
  1: map<string, list<set<i64>>> deep,
  2: list<Extra> more
}

struct Painted {
  1: Colour colour,
  2: bool truth,
  3: i8 tiny,
  4: i16 small,
  5: i32 medium,
  6: i64 large,
  7: double real,
  8: string text,
  9: binary blob,
  10: Extra extra,
  11: list<bool> truths,
  12: list<Extra> extras,
  13: set<string> tags,
  14: map<i32, binary> blobs,
  15: map<string, Extra> named,
  16: list<i32> none,
  2000: i64 far
}

exception Refused {
  1: i32 code,
  2: string why,
  3: string hint
}

service Newer {
  Painted echo_painted(1: Painted painted, 2: Extra extra, 3: list<string> words),
  void refuse(1: i32 code, 2: string why, 3: Extra extra) throws (1: Refused refused),
  string invented(1: Extra extra)
}

struct Sketch {
  2: bool no,
  18: binary every_byte,           // the library cannot skip a binary that is no UTF-8
  37: list<binary> blobs,
  1000: i32 far
}

service Older {
  Sketch sample()
}
