/* tls_context.h - what all TLS connections of one configuration share: certificate, key, rules.
 *
 * TLS 1.2 and up, forward secrecy, no compression, no renegotiation.  Sessions are resumed by
 * tickets whose keys live as long as the context: a reload makes new ones.
 *
 * Thread: the loop's.                                                                        */
#pragma once
#include "config/config.h"
#include <openssl/types.h>

typedef struct TlsContext TlsContext;

/* Reads the files of the configuration.  NULL and no error: it names no certificate.  NULL and
 * an error, which names the setting and the file: they cannot be used. */
TlsContext *tls_context_new(const Config *config, GError **error);
TlsContext *tls_context_ref(TlsContext *context); /* NULL is fine here and below */
void tls_context_unref(TlsContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsContext, tls_context_unref)

/* For one connection over `fd`, which stays the caller's; NULL when there is no memory. */
SSL *tls_context_accept(TlsContext *context, int fd);
