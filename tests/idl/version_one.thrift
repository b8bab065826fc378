/* What a service was before version_two.thrift: the same names, and less in them.  Plugins of
 * both take turns in tests of the reload. */
namespace c_glib version
namespace py version_one

struct Answer {
  1: string version,
  2: i32 pid
}

service Version {
  Answer get(1: string key),
  void fail(),  // FALSE with a GError
  void crash()
}
