/* What the tests of handlers/host need beyond idl/crash.thrift: a service that extends
 * another, a required field, structs and maps that travel both ways. */
namespace c_glib outcomes

enum Kind { NONE = 0 }

struct Item {
  1: required i32 id,
  2: string name,
  3: list<string> tags
}

service Base {
  Item item(1: Item item),            // gives the item back
  oneway void note(1: string text)
}

service Outcomes extends Base {
  map<string, i32> words(1: map<string, i32> entries),
  map<double, i32> doubles(1: map<double, i32> entries),
  map<Kind, i32> kinds(1: map<Kind, i32> entries)
}
