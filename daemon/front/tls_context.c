#include "daemon/front/tls_context.h"
#include "actor/fault/fault_point.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/stat.h>

/* The words of options.def. */
enum { CLIENT_CERTIFICATE_NONE, CLIENT_CERTIFICATE_OPTIONAL, CLIENT_CERTIFICATE_REQUIRED };
enum { MIN_VERSION_1_2, MIN_VERSION_1_3 };

/* Of TLS 1.2; those of 1.3 are all fine. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct TlsContext {
    gatomicrefcount refs;
    SSL_CTX *ssl;
};

static gboolean fail(GError **error, const gchar *key, const gchar *path, const gchar *what)
{
    const gulong code = ERR_peek_last_error();
    const gchar *reason = what != NULL ? what : code != 0 ? ERR_reason_error_string(code) : NULL;
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "[daemon] %s = %s: %s", key,
                path != NULL ? path : "", reason != NULL ? reason : "cannot be used");
    ERR_clear_error();
    return FALSE;
}

/* OpenSSL's own words for a file that is not there say little. */
static gboolean is_readable(const gchar *key, const gchar *path, GError **error)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return fail(error, key, path, g_strerror(errno));
    if (!S_ISREG(info.st_mode))
        return fail(error, key, path, "not a file");
    return TRUE;
}

static gboolean use_certificate(SSL_CTX *ssl, const Config *config, GError **error)
{
    const gchar *certificate = config->tls_certificate, *key = config->tls_key;
    if (key == NULL)
        return fail(error, "tls-key", "", "the key of tls-certificate is needed");
    if (!is_readable("tls-certificate", certificate, error) || !is_readable("tls-key", key, error))
        return FALSE;
    if (SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1)
        return fail(error, "tls-certificate", certificate, NULL);
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
        return fail(error, "tls-key", key, NULL);
    if (SSL_CTX_check_private_key(ssl) != 1)
        return fail(error, "tls-key", key, "it is not the key of tls-certificate");
    return TRUE;
}

static gboolean use_client_ca(SSL_CTX *ssl, const Config *config, GError **error)
{
    const gchar *ca = config->tls_client_ca;
    if (config->tls_client_certificate == CLIENT_CERTIFICATE_NONE)
        return TRUE;
    if (ca == NULL)
        return fail(error, "tls-client-ca", "", "tls-client-certificate needs it");
    if (!is_readable("tls-client-ca", ca, error))
        return FALSE;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
    if (names == NULL || SSL_CTX_load_verify_file(ssl, ca) != 1)
        return fail(error, "tls-client-ca", ca, NULL);
    SSL_CTX_set_client_CA_list(ssl, names);
    SSL_CTX_set_verify(ssl,
                       config->tls_client_certificate == CLIENT_CERTIFICATE_REQUIRED
                           ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                           : SSL_VERIFY_PEER,
                       NULL);
    return TRUE;
}

/* Whoever offers names must get one of them or an alert (RFC 7301, 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *in, unsigned int in_length, void *user)
{
    static const unsigned char ours[] = "\x08http/1.1\x06thrift";
    (void)ssl;
    (void)user;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_length, ours, sizeof ours - 1, in, in_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static gboolean set_up(SSL_CTX *ssl, const Config *config)
{
    static const unsigned char sessions[] = "sluice";
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets need none */
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(ssl, config->tls_min_version == MIN_VERSION_1_3
                                                  ? TLS1_3_VERSION
                                                  : TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, CIPHERS) == 1 && SSL_CTX_set_num_tickets(ssl, 1) == 1 &&
           SSL_CTX_set_session_id_context(ssl, sessions, sizeof sessions - 1) == 1;
}

TlsContext *tls_context_new(const Config *config, GError **error)
{
    if (config->tls_certificate == NULL)
        return NULL;
    g_autoptr(TlsContext) context = g_new0(TlsContext, 1);
    g_atomic_ref_count_init(&context->refs);
    context->ssl = SSL_CTX_new(TLS_server_method());
    if (context->ssl == NULL || !set_up(context->ssl, config)) {
        fail(error, "tls-certificate", config->tls_certificate, NULL);
        return NULL;
    }
    if (!use_certificate(context->ssl, config, error) ||
        !use_client_ca(context->ssl, config, error))
        return NULL;
    return g_steal_pointer(&context);
}

TlsContext *tls_context_ref(TlsContext *context)
{
    if (context != NULL)
        g_atomic_ref_count_inc(&context->refs);
    return context;
}

void tls_context_unref(TlsContext *context)
{
    if (context == NULL || !g_atomic_ref_count_dec(&context->refs))
        return;
    SSL_CTX_free(context->ssl);
    g_free(context);
}

SSL *tls_context_accept(TlsContext *context, int fd)
{
    SSL *ssl = FAULT_AT(TLS_NEW) ? NULL : SSL_new(context->ssl);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}
