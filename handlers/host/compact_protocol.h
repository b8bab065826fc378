/* compact_protocol.h - Thrift's compact encoding: varints, field ids as differences. */
#pragma once
#include <glib-object.h>

GType compact_protocol_get_type(void);
#define COMPACT_TYPE_PROTOCOL (compact_protocol_get_type())
