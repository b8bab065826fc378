/* frame_transport.h - the transport that generated code expects a protocol to have.
 *
 * A generated process function asks its protocol for "transport" and tells that one when a
 * message was read and when one was written.  Our protocols work on memory, so there is
 * nothing to be done about it.  Nothing else is ever called on this object. */
#pragma once
#include <thrift/c_glib/transport/thrift_transport.h>

ThriftTransport *frame_transport_new(void); /* transfer full */
