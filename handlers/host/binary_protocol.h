/* binary_protocol.h - Thrift's binary encoding: fixed sizes, big endian. */
#pragma once
#include <glib-object.h>

GType binary_protocol_get_type(void);
#define BINARY_TYPE_PROTOCOL (binary_protocol_get_type())
