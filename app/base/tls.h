/*
 * tls.h: certificates, and one question over TLS.
 *
 * The server's own TLS is civetweb's, which does not say why it cannot take a
 * certificate: tls_check says so before. tls_exchange is for asking a server
 * of ours on this machine; it does not verify whose certificate that is.
 */
#ifndef ASSAY_BASE_TLS_H
#define ASSAY_BASE_TLS_H

#include "base/err.h"

#include <stddef.h>

/* ERR_CONFIG names the file and what is wrong with it. Called once, before the
 * server starts: it also readies what TLS 1.3 keeps for the process. */
MUST_USE enum err tls_check(const char *certificate_file, const char *key_file);

/* Sends QUESTION over CONNECTION and reads until the other side ends it, or
 * ANSWER has no room. The length of what came; 0 where nothing did. */
size_t tls_exchange(int connection, const char *question, char *answer,
                    size_t room);

#endif
