/*
 * tests/fuzz/fuzz_mail.c - whatever a log holds, a message is safe lines; whatever a server says, the dialogue is followed.
 */
#include <stdlib.h>

#include "alerts/mail.h"
#include "alerts/mail_link.h"
#include "alerts/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST_HOLD(x)             \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

/* ASCII, CR LF as line ends only, no line long, none that a dot begins; returns the lines. */
static size_t
lines(struct str s)
{
	size_t i, column = 0, n = 0;

	for (i = 0; i < s.n; i++) {
		MUST_HOLD(s.p[i] != 0 && s.p[i] < 0x7f);
		MUST_HOLD((s.p[i] == '\n') == (i > 0 && s.p[i - 1] == '\r'));
		MUST_HOLD(s.p[i] != '.' || column > 0);
		n += s.p[i] == '\n';
		column = s.p[i] == '\n' ? 0 : column + 1;
		/* an address may be 254 bytes long and cannot be folded */
		MUST_HOLD(column <= 300);
	}
	MUST_HOLD(s.n == 0 || s.p[s.n - 1] == '\n');
	return n;
}

/* One header stays one: each further line begins with a blank. */
static void
header(struct str value)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	size_t i;

	mail_header(&out, "Subject", value);
	(void)lines(buf_view(&out));
	for (i = 0; i + 2 < out.n; i++)
		MUST_HOLD(out.p[i] != '\n' || out.p[i + 1] == ' ');
}

static void
message(struct str a, struct str b)
{
	struct label headers[] = { { a, b }, { STR("X-Team"), a } };
	struct send_job job = { .from = a,
		.to = b,
		.subject = a,
		.text = b,
		.html = a,
		.message_id = str_sub(a, 0, 200), /* of the outbox: an id and a host name */
		.in_reply_to = str_sub(b, 0, 200),
		.headers = headers,
		.n_headers = 2 };
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct str head;

	mail_compose(&job, &out);
	(void)lines(buf_view(&out));
	head = str_sub(buf_view(&out), 0, str_find(buf_view(&out), STR("\r\n\r\n")));
	MUST_HOLD(str_find(head, STR("\r\nBcc:")) == SIZE_MAX);
}

static void
address(struct str s)
{
	struct str name, addr;
	size_t i;

	if (!mail_address(s, &name, &addr))
		return;
	MUST_HOLD(addr.n > 0 && addr.n <= 254);
	for (i = 0; i < addr.n; i++)
		MUST_HOLD(
		    addr.p[i] > ' ' && addr.p[i] < 0x7f && addr.p[i] != '<' && addr.p[i] != '>');
}

static void
talk(struct str up, struct str down)
{
	AUTO_FINI(mail_talk_fini) struct mail_talk t = { .want_auth = up.n % 2 == 1 };
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	size_t i, n = up.n > down.n ? up.n : down.n;

	for (i = 0; i < n; i += 7) {
		if (!mail_talk_up(&t, str_sub(up, i, i + 7), &why) ||
		    !mail_talk_down(&t, str_sub(down, i, i + 7), &why))
			return;
		MUST_HOLD(t.n <= sizeof(t.waits) && mail_talk_phase(&t) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct str s = str_of(data, size);
	size_t half = str_find_byte(s, '\0');
	struct str a = str_sub(s, 0, half), b = str_sub(s, half < s.n ? half + 1 : s.n, s.n);

	header(s);
	message(a, b);
	address(a);
	talk(a, b);
	if (webhook_url_ok(a, &why))
		MUST_HOLD(a.n <= WEBHOOK_URL_MAX);
	(void)webhook_retry_after(a, (struct wall){ 1700000000 * NS_PER_S });
	return 0;
}
