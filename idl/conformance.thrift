/* Every type of Thrift's, each at its limits: with it the stock clients of many languages show that
 * they and sluiced understand each other.  Implemented in handlers/conformance. */
namespace c_glib cnf
namespace cpp conformance
namespace go conformance
namespace java conformance
namespace js conformance
namespace perl Conformance
namespace php conformance
namespace py conformance
namespace rb Conformance

enum Colour { RED = 1, GREEN = 2 }
typedef i64 Stamp

struct Leaf {
  1: required i32 id,
  2: optional string label,
  3: i32 weight = 7
}

struct Painted {
  1: Colour colour
}

union Choice {
  1: i32 number,
  2: string text
}

struct Tree {
  1: i32 value,
  2: list<Tree> children
}

exception Refused {
  1: i32 code,
  2: string why
}

struct Everything {
  1: bool yes,
  2: bool no,
  3: i8 least_i8,
  4: i8 most_i8,
  5: i16 least_i16,
  6: i16 most_i16,
  7: i32 least_i32,
  8: i32 most_i32,
  9: i64 least_i64,
  10: i64 most_i64,
  11: double tenth,
  12: double largest,
  13: double not_a_number,
  14: double infinity,
  16: string planes,               // characters of one, two, three and four bytes
  17: string nothing,
  18: binary every_byte,           // 0 to 255
  19: Colour colour,
  20: Stamp stamp,
  21: Leaf leaf,
  22: Choice choice,
  23: Tree tree,
  24: list<i32> numbers,
  25: list<list<string>> words,
  26: list<Leaf> leaves,
  27: list<bool> truths,
  28: set<i32> primes,
  29: set<string> tags,
  30: map<string, i64> sizes,
  31: map<i32, Leaf> leaf_of,
  32: map<string, list<i64>> series,
  33: map<i64, map<string, string>> books,
  34: optional i32 absent,
  35: double smallest,
  36: string all_planes,           // a character of each of Unicode's 17
  37: list<binary> blobs,          // with NUL and what is no UTF-8
  38: map<Colour, string> moods,
  39: list<map<i32, string>> pages,      // no list<set>: c_glib loses its elements
  1000: i32 far = 5
}

service Base {
  void ping(),
  string name()
}

service Conformance extends Base {
  Everything sample(),
  string difference(1: Everything value),      // from the sample: the name of a field, or ""
  Everything echo(1: Everything value),
  Leaf echo_leaf(1: Leaf leaf),
  Painted echo_painted(1: Painted painted),    // also of what is no Colour
  double negated(1: double value),
  void refuse(1: i32 code, 2: string why) throws (1: Refused refused),
  oneway void note(1: string text)
}
