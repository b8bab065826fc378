/* What the service of version_one.thrift became. */
namespace c_glib version
namespace py version_two

struct Answer {
  1: string version,
  2: i32 pid,
  3: list<string> news
}

service Version {
  Answer get(1: string key),
  void fail(),
  void crash(),
  string more(1: string text)
}
