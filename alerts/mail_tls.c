/*
 * alerts/mail_tls.c - TLS to a smarthost.
 * One job: greeting, STARTTLS, handshake, and a certificate that is good for the name that was configured.
 * Floor: 4 (uses base).
 *
 * TLS that is wanted and not had ends the try: there is no way back to the clear.  Bytes that follow the answer to STARTTLS in the
 * clear were put there by somebody in between.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include "alerts/mail_link.h"

enum { HELLO_MAX = 16 << 10 };

static bool
tls_failed(struct mail_link *l, const char *what)
{
	char text[200];
	unsigned long e = ERR_peek_last_error();
	long v = l->ssl != NULL ? SSL_get_verify_result(l->ssl) : X509_V_OK;

	if (v != X509_V_OK) {
		buf_printf(l->why, "%s: the certificate of %.*s is refused: %s", what,
		    STR_ARG(l->host), X509_verify_cert_error_string(v));
	} else if (e != 0) {
		ERR_error_string_n(e, text, sizeof(text));
		buf_printf(l->why, "%s: %s", what, text);
	} else {
		buf_printf(l->why, "%s: the connection was cut", what);
	}
	SSL_free(l->ssl);
	l->ssl = NULL;
	return false;
}

static bool
tls_files(struct mail_link *l)
{
	const struct route_http *h = &l->work->job->http;
	AUTO_FINI(buf_fini) struct buf ca = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf cert = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;

	send_secret_path(l->work, h->ca_file, &ca);
	send_secret_path(l->work, h->cert_file, &cert);
	send_secret_path(l->work, h->key_file, &key);
	if (h->ca_file.n > 0 ? SSL_CTX_load_verify_file(l->ctx, buf_c_str(&ca)) != 1
	                     : SSL_CTX_set_default_verify_paths(l->ctx) != 1) {
		buf_printf(l->why, "TLS: the certificates of %s cannot be read",
		    h->ca_file.n > 0 ? buf_c_str(&ca) : "the system");
		return false;
	}
	if (h->cert_file.n > 0 &&
	    (SSL_CTX_use_certificate_chain_file(l->ctx, buf_c_str(&cert)) != 1 ||
	        SSL_CTX_use_PrivateKey_file(l->ctx, buf_c_str(&key), SSL_FILETYPE_PEM) != 1)) {
		buf_printf(l->why, "TLS: our certificate %s or its key %s cannot be read",
		    buf_c_str(&cert), buf_c_str(&key));
		return false;
	}
	return true;
}

static bool
tls_name(struct mail_link *l)
{
	const struct route_http *h = &l->work->job->http;
	AUTO_FINI(buf_fini) struct buf name = BUF_INIT;
	uint8_t addr[16];
	char *c;

	buf_str(&name, h->server_name.n > 0 ? h->server_name : l->host);
	buf_byte(&name, '\0');
	if (name.failed)
		return false;
	c = (char *)name.p;
	if (inet_pton(AF_INET, c, addr) == 1 || inet_pton(AF_INET6, c, addr) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(l->ssl), c) == 1;
	SSL_set_hostflags(l->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(l->ssl, c) == 1 && SSL_set_tlsext_host_name(l->ssl, c) == 1;
}

static bool
tls_shake(struct mail_link *l)
{
	struct span until = send_wait(l->work, MAIL_TLS_MS);
	struct pollfd p = { .fd = l->fd };
	int r, e;

	while ((r = SSL_connect(l->ssl)) != 1) {
		e = SSL_get_error(l->ssl, r);
		if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
			return tls_failed(l, "TLS");
		p.events = e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		if (mono_now().ns >= until.ns ||
		    poll(&p, 1, (int)((until.ns - mono_now().ns) / NS_PER_MS) + 1) == 0) {
			buf_c(l->why, "TLS: no answer in time");
			SSL_free(l->ssl);
			l->ssl = NULL;
			return false;
		}
	}
	return true;
}

bool
mail_link_tls(struct mail_link *l)
{
	send_phase(l->work, "TLS with the smarthost", false);
	ERR_clear_error();
	l->ctx = SSL_CTX_new(TLS_client_method());
	if (l->ctx == NULL || SSL_CTX_set_min_proto_version(l->ctx, TLS1_2_VERSION) != 1)
		return tls_failed(l, "TLS");
	if (!tls_files(l))
		return false;
	SSL_CTX_set_verify(l->ctx,
	    l->work->job->http.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(l->ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	l->ssl = SSL_new(l->ctx);
	if (l->ssl == NULL || !tls_name(l) || SSL_set_fd(l->ssl, l->fd) != 1)
		return tls_failed(l, "TLS");
	return tls_shake(l);
}

/* ---- before libesmtp: greeting, EHLO, STARTTLS ---- */

/* The last line of a reply, at whose end ${ret_n} stands; 0: not whole yet; -1: none of SMTP. */
static int
reply_code(struct str s, size_t *ret_n)
{
	size_t at = 0, end;

	for (;;) {
		struct str line = str_sub(s, at, s.n);

		end = str_find_byte(line, '\n');
		if (end == SIZE_MAX)
			return 0;
		line = str_trim(str_sub(line, 0, end));
		at += end + 1;
		if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || line.p[1] < '0' ||
		    line.p[1] > '9' || line.p[2] < '0' || line.p[2] > '9')
			return -1;
		if (line.n == 3 || line.p[3] != '-') {
			*ret_n = at;
			return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + line.p[2] - '0';
		}
	}
}

/* One reply, into ${ret}; its code, or -1 with a reason. */
static int
reply_read(struct mail_link *l, const char *what, int64_t ms, struct buf *ret)
{
	struct span until = send_wait(l->work, ms);
	uint8_t chunk[4096];
	size_t n = 0;
	int k, code = 0;

	buf_clear(ret);
	while (code == 0) {
		k = mail_link_read(l, chunk, sizeof(chunk));
		if (k == 0 && !mail_link_wait(l, until)) {
			buf_printf(l->why, "%s: no answer in time", what);
			return -1;
		}
		if (k > 0)
			buf_put(ret, chunk, (size_t)k);
		if (k < 0 || ret->failed || ret->n > HELLO_MAX) {
			buf_printf(l->why, "%s: %s", what,
			    k < 0 ? "the connection was cut" : "the answer is too long");
			return -1;
		}
		code = reply_code(buf_view(ret), &n);
		/* a server that drips is as late as one that says nothing */
		if (code == 0 && mono_now().ns >= until.ns) {
			buf_printf(l->why, "%s: no whole answer in time", what);
			return -1;
		}
	}
	if (code < 0)
		buf_printf(l->why, "%s: the answer is none of SMTP", what);
	else if (n != ret->n) {
		buf_printf(l->why, "%s: more than was asked came in the clear", what);
		return -1;
	}
	return code;
}

static bool
reply_is(struct mail_link *l, const char *what, int code, int want, const struct buf *reply)
{
	if (code == want)
		return true;
	if (code > 0)
		buf_printf(l->why, "%s: %.*s", what, STR_ARG(str_trim(buf_view(reply))));
	return false;
}

struct str
mail_hello_name(const struct send_job *job)
{
	size_t i;

	for (i = 0; i < job->hello.n; i++)
		if (job->hello.p[i] <= ' ' || job->hello.p[i] >= 0x7f)
			return STR("localhost");
	return i > 0 && i < 254 ? job->hello : STR("localhost");
}

static bool
hello_offers(struct str reply, struct str word)
{
	size_t end;

	while (reply.n > 0) {
		struct str line;

		end = str_find_byte(reply, '\n');
		line = str_trim(str_sub(reply, 0, end));
		reply = str_sub(reply, end < reply.n ? end + 1 : reply.n, reply.n);
		if (line.n >= 4 + word.n && str_eq_nocase(str_sub(line, 4, 4 + word.n), word) &&
		    (line.n == 4 + word.n || line.p[4 + word.n] == ' '))
			return true;
	}
	return false;
}

static bool
hello_starttls(struct mail_link *l, struct buf *reply)
{
	struct span until = send_wait(l->work, MAIL_REPLY_MS);
	struct str name = mail_hello_name(l->work->job);
	AUTO_FINI(buf_fini) struct buf hello = BUF_INIT;
	int code;

	buf_printf(&hello, "EHLO %.*s\r\n", STR_ARG(name));
	if (!mail_link_write(l, hello.p, hello.n, until))
		return false;
	code = reply_read(l, "EHLO", MAIL_REPLY_MS, reply);
	if (code < 0)
		return false;
	if (code != 250 || !hello_offers(buf_view(reply), STR("STARTTLS"))) {
		buf_printf(l->why, "STARTTLS is not offered by %.*s port %.*s%s", STR_ARG(l->host),
		    STR_ARG(l->port),
		    l->work->job->auth_username.n > 0
		        ? ", and a password is never sent in the clear"
		        : ", and require_tls is set");
		return false;
	}
	if (!mail_link_write(l, "STARTTLS\r\n", 10, until))
		return false;
	code = reply_read(l, "STARTTLS", MAIL_REPLY_MS, reply);
	return reply_is(l, "STARTTLS", code, 220, reply) && mail_link_tls(l);
}

bool
mail_hello(struct mail_link *l, struct buf *ret_greeting)
{
	const struct send_job *job = l->work->job;
	AUTO_FINI(buf_fini) struct buf reply = BUF_INIT;
	int code;

	if (l->implicit && !mail_link_tls(l))
		return false;
	send_phase(l->work, "waiting for the smarthost's greeting", false);
	code = reply_read(l, "greeting", MAIL_GREETING_MS, &reply);
	if (!reply_is(l, "greeting", code, 220, &reply))
		return false;
	if (!l->implicit && (job->require_tls || job->auth_username.n > 0)) {
		send_phase(l->work, "STARTTLS with the smarthost", false);
		if (!hello_starttls(l, &reply))
			return false;
	}
	/* libesmtp begins anew, behind TLS */
	buf_c(ret_greeting, "220 relay\r\n");
	return buf_err(ret_greeting) == 0;
}
