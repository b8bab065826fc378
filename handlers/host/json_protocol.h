/* json_protocol.h - what a call that came in JSON is decoded and encoded with.
 *
 * sluiced turns JSON into binary, but cannot tell a binary from a text: both are strings there.
 * So this is the binary protocol in which each binary is in Base64 (RFC 4648, with or without
 * its padding; with it when written).                                                      */
#pragma once
#include "handlers/host/frame_base.h"

GType json_protocol_get_type(void);
#define JSON_TYPE_PROTOCOL (json_protocol_get_type())
