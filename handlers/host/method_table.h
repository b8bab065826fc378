/* method_table.h - the methods of a generated processor, by name.
 *
 * Calling a method's function directly goes past thrift_processor_process(), which reads the
 * message's head again and loops for ever on an unknown method of a service that extends
 * another.  The table is found where generated code keeps it: that relies on the layout of
 * the processor's struct, so every bit of it is checked first.
 *
 * Thread: immutable once made.
 * Borrows: the processor's strings and code; it must outlive the table.                     */
#pragma once
#include <thrift/c_glib/processor/thrift_dispatch_processor.h>

typedef struct MethodTable MethodTable;

/* A generated process function.  `error` must not be NULL: generated code looks into it. */
typedef gboolean (*MethodFunction)(ThriftDispatchProcessor *self, gint32 seqid, ThriftProtocol *in,
                                   ThriftProtocol *out, GError **error);

typedef enum { METHOD_TABLE_ERROR_LAYOUT } MethodTableError;
#define METHOD_TABLE_ERROR method_table_error_quark()
GQuark method_table_error_quark(void);

/* NULL with `error` saying what of the processor is not as generated code makes it. */
MethodTable *method_table_new(ThriftProcessor *processor, GError **error);
void method_table_free(MethodTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MethodTable, method_table_free)

/* NULL when the service and those it extends have no such method. */
MethodFunction method_table_find(const MethodTable *table, const gchar *method);
