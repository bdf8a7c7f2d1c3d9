/* Put before OpenSSL by LD_PRELOAD: writes what each handshake of DTLS-SRTP has exported (RFC 5764 §4.2), a line of hex each, to the
 * file that HANDSHAKE_KEYS names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

typedef int exporter(void *, unsigned char *, size_t, const char *, size_t, const unsigned char *, size_t, int);

int SSL_export_keying_material(void *ssl, unsigned char *out, size_t length, const char *label, size_t label_length,
                               const unsigned char *context, size_t context_length, int use_context) {
    exporter *real = (exporter *)dlsym(RTLD_NEXT, "SSL_export_keying_material");
    const char *path = getenv("HANDSHAKE_KEYS");
    int done = real ? real(ssl, out, length, label, label_length, context, context_length, use_context) : 0;
    FILE *file = done == 1 && path ? fopen(path, "a") : NULL;
    if (file) {
        for (size_t at = 0; at < length; at++) fprintf(file, "%02x", out[at]);
        fputc('\n', file);
        fclose(file);
    }
    return done;
}
