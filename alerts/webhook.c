/*
 * alerts/webhook.c - webhooks.
 * One job: POST a job's body and judge the answer.
 * Floor: 4 (uses base).
 */
#include "alerts/webhook.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdio.h>

#include "alerts/webhook_answer.h"

enum { REDIRECTS_MAX = 3 };

struct webhook {
	const struct send_work *work;
	CURL *curl;
	struct curl_slist *headers;
	struct buf url, line, retry_after, location;
	struct buf user, password, bearer, ca, cert, key;
	struct buf answer; /* its first bytes */
	size_t n_body, n_head;
	const char *cut; /* why we ended it */
	char error[CURL_ERROR_SIZE];
	struct buf why;
};

static void
secret_fini(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->n);
	buf_fini(b);
}

static void
webhook_fini(struct webhook *h)
{
	if (h->curl != NULL)
		curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->headers);
	secret_fini(&h->url);
	secret_fini(&h->line);
	secret_fini(&h->password);
	secret_fini(&h->bearer);
	buf_fini(&h->retry_after);
	buf_fini(&h->location);
	buf_fini(&h->user);
	buf_fini(&h->ca);
	buf_fini(&h->cert);
	buf_fini(&h->key);
	buf_fini(&h->answer);
	buf_fini(&h->why);
}

bool
webhook_sign(struct str key, struct str body, struct buf *out)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned i, n = 0;

	if (key.n > INT32_MAX ||
	    HMAC(EVP_sha256(), key.p, (int)key.n, body.p, body.n, mac, &n) == NULL)
		return false;
	buf_c(out, "sha256=");
	for (i = 0; i < n; i++)
		buf_printf(out, "%02x", mac[i]);
	return !out->failed;
}

/* What goes into a header is one line of printable bytes, or the job fails. */
static bool
header_add(struct webhook *h, const char *name, struct str value)
{
	struct curl_slist *more;
	size_t i;

	for (i = 0; i < value.n; i++)
		if (value.p[i] < ' ' || value.p[i] == 0x7f) {
			buf_printf(&h->why, "%s: a line end or a control byte in its value", name);
			return false;
		}
	buf_clear(&h->line);
	buf_printf(&h->line, "%s:", name);
	if (value.n > 0) {
		buf_byte(&h->line, ' ');
		buf_str(&h->line, value);
	}
	more = curl_slist_append(h->headers, buf_c_str(&h->line));
	if (more != NULL)
		h->headers = more;
	return more != NULL;
}

static bool
webhook_auth(struct webhook *h)
{
	const struct route_http *c = &h->work->job->http;
	AUTO_FINI(secret_fini) struct buf value = BUF_INIT;

	if (c->bearer_file.n > 0) {
		buf_c(&value, "Bearer ");
		if (!send_secret(h->work, c->bearer_file, &value, &h->why) ||
		    !header_add(h, "Authorization", buf_view(&value)))
			return false;
	}
	if (c->basic_user.n > 0) {
		buf_str(&h->user, c->basic_user);
		if (c->basic_password_file.n > 0 &&
		    !send_secret(h->work, c->basic_password_file, &h->password, &h->why))
			return false;
		(void)curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		(void)curl_easy_setopt(h->curl, CURLOPT_USERNAME, buf_c_str(&h->user));
		(void)curl_easy_setopt(h->curl, CURLOPT_PASSWORD, buf_c_str(&h->password));
	}
	return true;
}

static bool
webhook_headers(struct webhook *h)
{
	const struct send_job *job = h->work->job;
	AUTO_FINI(secret_fini) struct buf key = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf mac = BUF_INIT;

	if (!header_add(h, "Content-Type", STR("application/json")) ||
	    /* the same id for each try, so that a double can be known */
	    !header_add(h, "Idempotency-Key", job->message_id) ||
	    /* a server that never says 100 must not hold us up */
	    !header_add(h, "Expect", STR_NONE))
		return false;
	if (job->http.hmac_file.n > 0 &&
	    (!send_secret(h->work, job->http.hmac_file, &key, &h->why) ||
	        !webhook_sign(buf_view(&key), job->body, &mac) ||
	        !header_add(h, "Weir-Signature", buf_view(&mac))))
		return false;
	return webhook_auth(h);
}

static bool
webhook_url(struct webhook *h)
{
	const struct send_job *job = h->work->job;

	if (job->url_file.n > 0) {
		if (!send_secret(h->work, job->url_file, &h->url, &h->why))
			return false;
	} else {
		buf_str(&h->url, job->url);
	}
	return webhook_url_ok(buf_view(&h->url), &h->why);
}

/* ---- what comes back ---- */

static size_t
body_cb(char *p, size_t size, size_t n, void *ctx)
{
	struct webhook *h = ctx;
	size_t room = h->answer.n < WEBHOOK_WHY_MAX ? WEBHOOK_WHY_MAX - h->answer.n : 0;

	n *= size;
	h->n_body += n;
	buf_put(&h->answer, p, n < room ? n : room);
	if (h->n_body <= WEBHOOK_ANSWER_MAX)
		return n;
	h->cut = "its answer is too long";
	return 0;
}

static size_t
head_cb(char *p, size_t size, size_t n, void *ctx)
{
	struct webhook *h = ctx;
	struct str line = str_of(p, n * size), name;
	size_t colon = str_find_byte(line, ':');

	h->n_head += line.n;
	if (h->n_head > WEBHOOK_HEADERS_MAX) {
		h->cut = "its answer has too many headers";
		return 0;
	}
	name = str_sub(line, 0, colon);
	if (colon != SIZE_MAX && str_eq_nocase(name, STR("Retry-After"))) {
		buf_clear(&h->retry_after);
		buf_str(&h->retry_after, str_trim(str_sub(line, colon + 1, line.n)));
	} else if (colon != SIZE_MAX && str_eq_nocase(name, STR("Location"))) {
		buf_clear(&h->location);
		buf_str(&h->location, str_trim(str_sub(line, colon + 1, line.n)));
	}
	return line.n;
}

/* ---- options ---- */

static void
webhook_tls(struct webhook *h)
{
	const struct route_http *c = &h->work->job->http;

	(void)curl_easy_setopt(h->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYPEER, c->insecure_skip_verify ? 0L : 1L);
	(void)curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYHOST, c->insecure_skip_verify ? 0L : 2L);
	if (c->ca_file.n > 0) {
		send_secret_path(h->work, c->ca_file, &h->ca);
		(void)curl_easy_setopt(h->curl, CURLOPT_CAINFO, buf_c_str(&h->ca));
		(void)curl_easy_setopt(h->curl, CURLOPT_CAPATH, NULL);
	}
	if (c->cert_file.n > 0) {
		send_secret_path(h->work, c->cert_file, &h->cert);
		send_secret_path(h->work, c->key_file, &h->key);
		(void)curl_easy_setopt(h->curl, CURLOPT_SSLCERT, buf_c_str(&h->cert));
		(void)curl_easy_setopt(h->curl, CURLOPT_SSLKEY, buf_c_str(&h->key));
	}
}

static long
ms_left(const struct send_work *w, int64_t ms)
{
	int64_t left = (send_wait(w, ms).ns - mono_now().ns) / NS_PER_MS;

	return left < 1 ? 1 : (long)left;
}

static void
webhook_options(struct webhook *h)
{
	const struct send_job *job = h->work->job;

	(void)curl_easy_setopt(h->curl, CURLOPT_URL, buf_c_str(&h->url));
	(void)curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(h->curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTP09_ALLOWED, 0L);
	(void)curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h->curl, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
	(void)curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT_MS,
	    ms_left(h->work, WEBHOOK_CONNECT_MS));
	(void)curl_easy_setopt(h->curl, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body.n);
	(void)curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, job->body.p);
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers);
	(void)curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, body_cb);
	(void)curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, h);
	(void)curl_easy_setopt(h->curl, CURLOPT_HEADERFUNCTION, head_cb);
	(void)curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, h);
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->error);
	webhook_tls(h);
}

/* ---- redirects: only where the secrets may go as well ---- */

static bool
part_same(CURLU *a, CURLU *b, CURLUPart part, unsigned flags)
{
	char *x = NULL, *y = NULL;
	bool same;

	same = curl_url_get(a, part, &x, flags) == CURLUE_OK &&
	    curl_url_get(b, part, &y, flags) == CURLUE_OK && str_eq_nocase(str_c(x), str_c(y));
	curl_free(x);
	curl_free(y);
	return same;
}

/* 307 and 308 repeat the POST; the others ask for a GET, which would tell nobody anything. */
static bool
redirect_ok(struct webhook *h, long code)
{
	CURLU *from = curl_url(), *to = curl_url();
	char *next = NULL;
	bool ok;

	ok = h->work->job->http.follow_redirects && (code == 307 || code == 308) && from != NULL &&
	    to != NULL && curl_url_set(from, CURLUPART_URL, buf_c_str(&h->url), 0) == CURLUE_OK &&
	    curl_url_set(to, CURLUPART_URL, buf_c_str(&h->url), 0) == CURLUE_OK &&
	    curl_url_set(to, CURLUPART_URL, buf_c_str(&h->location), CURLU_NON_SUPPORT_SCHEME) ==
	        CURLUE_OK &&
	    part_same(from, to, CURLUPART_SCHEME, 0) && part_same(from, to, CURLUPART_HOST, 0) &&
	    part_same(from, to, CURLUPART_PORT, CURLU_DEFAULT_PORT) &&
	    curl_url_get(to, CURLUPART_URL, &next, 0) == CURLUE_OK;
	if (ok) {
		buf_clear(&h->url);
		buf_c(&h->url, next);
		ok = webhook_url_ok(buf_view(&h->url), &h->why);
	}
	curl_free(next);
	curl_url_cleanup(from);
	curl_url_cleanup(to);
	return ok;
}

/* ---- outcomes ---- */

/* The answer's first bytes, for people: the printing side escapes what is left. */
static void
answer_show(const struct webhook *h, struct send_report *rep)
{
	struct str s = str_trim(buf_view(&h->answer));

	if (s.n > 0) {
		buf_c(&rep->why, ": ");
		buf_str(&rep->why, s);
	}
}

static void
outcome_code(struct webhook *h, struct send_report *rep, long code)
{
	buf_printf(&rep->why, "HTTP %ld", code);
	if (code >= 200 && code < 300) {
		rep->r.outcome = SEND_DONE;
		buf_clear(&rep->why);
		return;
	}
	if (code >= 300 && code < 400) {
		rep->r.outcome = SEND_NEVER;
		buf_c(&rep->why, ": redirects to another place are not followed");
		return;
	}
	rep->r.outcome = webhook_code_is_later(code) ? SEND_LATER : SEND_NEVER;
	if (rep->r.outcome == SEND_LATER && h->retry_after.n > 0)
		rep->r.retry_after = webhook_retry_after(buf_view(&h->retry_after), wall_now());
	answer_show(h, rep);
}

/* Whether the receiver may have all of the request. */
static bool
sent_all(struct webhook *h)
{
	curl_off_t n = 0;

	return curl_easy_getinfo(h->curl, CURLINFO_SIZE_UPLOAD_T, &n) == CURLE_OK &&
	    n >= (curl_off_t)h->work->job->body.n && h->work->job->body.n > 0;
}

static void
outcome(struct webhook *h, struct send_report *rep, CURLcode e)
{
	long code = 0;

	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &code);
	/* a whole answer, or one that has said yes and then too much */
	if (e == CURLE_OK || (h->cut != NULL && code >= 200 && code < 300)) {
		outcome_code(h, rep, code);
		return;
	}
	rep->r.outcome = SEND_LATER;
	if (e == CURLE_URL_MALFORMAT)
		rep->r.outcome = SEND_NEVER;
	rep->r.unsure = rep->r.outcome == SEND_LATER && code == 0 && sent_all(h);
	if (h->cut != NULL)
		buf_printf(&rep->why, "HTTP %ld: %s", code, h->cut);
	else
		buf_c(&rep->why, h->error[0] != '\0' ? h->error : curl_easy_strerror(e));
	if (rep->r.unsure)
		buf_c(&rep->why, "; it may have arrived");
}

static CURLcode
webhook_post(struct webhook *h)
{
	CURLcode e;
	struct span until = send_wait(h->work,
	    h->work->job->timeout.ns > 0 ? h->work->job->timeout.ns / NS_PER_MS
	                                 : WEBHOOK_TIMEOUT_MS);
	long code = 0;
	int i;

	for (i = 0;; i++) {
		h->n_body = h->n_head = 0;
		buf_clear(&h->answer);
		buf_clear(&h->location);
		(void)curl_easy_setopt(h->curl, CURLOPT_URL, buf_c_str(&h->url));
		/* all of them together within the one time */
		(void)curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS,
		    (long)((until.ns - mono_now().ns) / NS_PER_MS + 1));
		e = curl_easy_perform(h->curl);
		if (e != CURLE_OK || i == REDIRECTS_MAX || mono_now().ns >= until.ns)
			return e;
		(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &code);
		if (code < 300 || code > 399 || !redirect_ok(h, code))
			return e;
	}
}

void
webhook_send(const struct send_work *w, struct send_report *rep)
{
	struct webhook h = { .work = w };
	CURLcode e;

	rep->r.outcome = SEND_LATER;
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
		h.curl = curl_easy_init();
	if (h.curl == NULL) {
		buf_c(&rep->why, "libcurl cannot start");
	} else if (!webhook_url(&h)) {
		/* a file that cannot be read may come; a URL that is none stays so */
		rep->r.outcome = h.url.n > 0 ? SEND_NEVER : SEND_LATER;
		buf_str(&rep->why, buf_view(&h.why));
	} else if (!webhook_headers(&h)) {
		buf_str(&rep->why, buf_view(&h.why));
	} else {
		webhook_options(&h);
		send_phase(w, "talking to the webhook", true);
		e = webhook_post(&h);
		outcome(&h, rep, e);
	}
	webhook_fini(&h);
}
