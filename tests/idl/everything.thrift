/* What the protocol classes are tested with: every type, every kind of container, a required
 * field, recursion and an exception.  Sets and maps are keyed by what c_glib can hash. */
namespace c_glib evy
namespace py everything

enum Colour { RED = 1, GREEN = 2, BLUE = 3 }
typedef i64 Stamp

struct Leaf {
  1: required i32 id
  2: optional string label
}

exception Refused {
  1: i32 code
  2: string why
}

struct All {
  1: bool yes
  2: i8 tiny
  3: i16 small
  4: i32 medium
  5: i64 large
  6: double real
  7: string text
  8: binary blob
  9: Colour colour
  10: Stamp stamp
  11: Leaf leaf
  12: list<bool> bits
  13: list<i64> numbers
  14: list<string> words
  15: list<binary> blobs
  16: list<Colour> colours
  17: list<Leaf> leaves
  18: list<list<i32>> grid
  19: list<All> kids
  20: set<i32> primes
  21: set<string> tags
  22: map<i32, i64> squares
  23: map<string, string> titles
  24: map<string, list<i64>> series
  25: map<Colour, Leaf> shades
  26: map<string, map<i32, string>> books
  27: map<Colour, string> moods
  1000: i32 far
}

service Everything {
  All echo(1: All all) throws (1: Refused refused)
  oneway void note(1: string text)
}
