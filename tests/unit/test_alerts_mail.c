/*
 * tests/unit/test_alerts_mail.c - messages as text, the dialogue, frames and what an answer asks for.
 */
#include "alerts/mail.h"
#include "alerts/mail_link.h"
#include "alerts/webhook.h"
#include "check.h"

static void
header_is(const char *name, const char *value, const char *want)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	mail_header(&out, name, str_c(value));
	CHECK_STR(buf_view(&out), str_c(want));
}

/* Lines of 78 bytes at most, ASCII, CR LF only as line ends, no line that a dot begins. */
static void
lines_are_safe(struct str s)
{
	size_t i, column = 0;

	for (i = 0; i < s.n; i++) {
		CHECK(s.p[i] != 0 && s.p[i] < 0x7f);
		CHECK((s.p[i] == '\n') == (i > 0 && s.p[i - 1] == '\r'));
		CHECK(!(s.p[i] == '.' && column == 0));
		column = s.p[i] == '\n' ? 0 : column + 1;
		CHECK(column <= 78);
	}
}

static void
test_headers(void)
{
	char longest[2000];
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	header_is("Subject", "plain words", "Subject: plain words\r\n");
	header_is("Subject", "a\r\nBcc: evil@x.org\r\n\r\nbody",
	    "Subject: a Bcc: evil@x.org body\r\n");
	header_is("Subject", "", "Subject:\r\n");
	header_is("Subject", "\xc3\xa4", "Subject: =?UTF-8?B?w6Q=?=\r\n");
	header_is("Subject", "=?x?=", "Subject: =?UTF-8?B?PT94Pz0=?=\r\n");
	header_is("Subject", "bad \xff\x01 \xc2\x85 end",
	    "Subject: =?UTF-8?B?YmFkIO+/vSBlbmQ=?=\r\n");
	memset(longest, 'w', sizeof(longest));
	mail_header(&out, "Subject", str_of(longest, sizeof(longest)));
	lines_are_safe(buf_view(&out));
	buf_clear(&out);
	memset(longest, 0xc3, sizeof(longest));
	mail_header(&out, "A-Rather-Long-Name-Of-A-Header-That-Somebody-Configured-0123456789",
	    str_of(longest, sizeof(longest)));
	lines_are_safe(buf_view(&out));
}

static void
quoted_is(const char *text, const char *want)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	mail_quoted(&out, str_c(text));
	CHECK_STR(buf_view(&out), str_c(want));
	lines_are_safe(buf_view(&out));
}

static void
test_quoted(void)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	char many[3000];

	quoted_is("a\nb", "a\r\nb\r\n");
	quoted_is("a\r\nb\r\n", "a\r\nb\r\n");
	quoted_is("\n.\n..x\nFrom y", "\r\n=2E\r\n=2E.x\r\n=46rom y\r\n");
	quoted_is("end \n\t\nx\t", "end=20\r\n=09\r\nx=09\r\n");
	quoted_is("a\rb=\xc3\xa4\x7f", "a=0Db=3D=C3=A4=7F\r\n");
	memset(many, '.', sizeof(many));
	mail_quoted(&out, str_of(many, sizeof(many)));
	lines_are_safe(buf_view(&out));
	buf_clear(&out);
	mail_quoted(&out, str_of("a\0b", 3));
	CHECK_STR(buf_view(&out), STR("a?b\r\n"));
}

static void
test_addresses(void)
{
	static const char *const good[] = { "a@b", "root", "<a@b.c>", "Name <a@b.c>",
		"\"N, M\" <a.b+c@d-e.f>", " a@[127.0.0.1] ", "a@[IPv6:::1]" };
	static const char *const bad[] = { "", "@", "a@", "@b", "a b@c", "a@b@c",
		"a@b\r\nRCPT TO:<x@y>", "a@b>", "<a@b", "a@b> SIZE=1 <", "\xc3\xa4@b", "a,b@c",
		"a@b\x01", "a@[1", "\"x y\"@z" };
	struct str name, addr;
	size_t i;

	for (i = 0; i < ARRAY_LEN(good); i++)
		CHECK(mail_address(str_c(good[i]), &name, &addr));
	for (i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!mail_address(str_c(bad[i]), &name, &addr));
	CHECK(mail_address(STR("\"N\" <a@b>"), &name, &addr));
	CHECK_STR(name, STR("N"));
	CHECK_STR(addr, STR("a@b"));
}

static void
test_compose(void)
{
	struct label headers[] = { { STR("X-Team"), STR("ops\r\nBcc: e@x") },
		{ STR("To"), STR("e@x") }, { STR("Subject"), STR("{{ .x }}") },
		{ STR("Bad Name"), STR("x") } };
	struct send_job job = { .kind = RECEIVER_EMAIL,
		.at = { 1700000000 * NS_PER_S },
		.from = STR("W\xc3\xa9ir <weir@x.org>"),
		.to = STR("a@x.org\nB <b@x.org>\nno address"),
		.subject = STR("down"),
		.message_id = STR("<n1@x>"),
		.in_reply_to = STR("<n0@x>"),
		.text = STR("text\n.\n"),
		.headers = headers,
		.n_headers = 4 };
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf big = BUF_INIT;
	struct str s;
	size_t i;

	mail_compose(&job, &out);
	s = buf_view(&out);
	lines_are_safe(s);
	CHECK(str_starts(s,
	    STR("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: =?UTF-8?B?V8OpaXI=?=\r\n <weir@x.org>\r\n"
	        "To: a@x.org,\r\n \"B\"\r\n <b@x.org>\r\nSubject: down\r\nMessage-ID: <n1@x>\r\n"
	        "In-Reply-To: <n0@x>\r\nReferences: <n0@x>\r\nX-Team: ops Bcc: e@x\r\nAuto-Submitted:")));
	CHECK(
	    str_find(s, STR("text/html")) == SIZE_MAX && str_find(s, STR("multipart")) == SIZE_MAX);
	job.html = STR("<p>");
	buf_clear(&out);
	mail_compose(&job, &out);
	lines_are_safe(buf_view(&out));
	CHECK(str_find(buf_view(&out), STR("multipart/alternative")) != SIZE_MAX);
	for (i = 0; i < MAIL_MAX; i++)
		buf_byte(&big, 0xe4);
	job.text = job.html = buf_view(&big);
	buf_clear(&out);
	mail_compose(&job, &out);
	CHECK(out.n <= MAIL_MAX && str_find(buf_view(&out), STR("text/html")) == SIZE_MAX);
}

/* The dialogue, as the relay sees it. */
static void
test_talk(void)
{
	AUTO_FINI(mail_talk_fini) struct mail_talk t = { .want_auth = true };
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	CHECK(mail_talk_up(&t, STR("EHLO x\r\n"), &why));
	CHECK(strcmp(mail_talk_phase(&t), "waiting for the answer to EHLO") == 0);
	CHECK(mail_talk_down(&t, STR("250-a\r\n250-AUTH LOGIN\r"), &why));
	CHECK(mail_talk_down(&t, STR("\n250 b\r\n"), &why));
	CHECK(mail_talk_up(&t, STR("AUTH LOGIN\r\n"), &why) &&
	    mail_talk_down(&t, STR("334 x\r\n"), &why));
	/* what follows is no command, whatever it looks like */
	CHECK(mail_talk_up(&t, STR("MAILbase64==\r\n"), &why) &&
	    mail_talk_down(&t, STR("535 no\r\n"), &why));
	CHECK(!mail_talk_up(&t, STR("MAIL FROM:<a@b>\r\n"), &why));
	CHECK_STR(buf_view(&why), STR("AUTH: 535 no"));
	buf_clear(&why);
	t.authed = true;
	CHECK(mail_talk_up(&t, STR("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"), &why));
	CHECK(mail_talk_down(&t, STR("250 ok\r\n450 later\r\n354 go\r\n"), &why));
	CHECK(t.in_data && !t.ended && t.refused == 450 && t.refused_at == TALK_RCPT);
	CHECK(mail_talk_up(&t, STR("x\r\n..\r\n.\r"), &why) && !t.ended);
	CHECK(mail_talk_up(&t, STR("\nQUIT\r\n"), &why) && t.ended && t.final == 0);
	CHECK(strcmp(mail_talk_phase(&t), "waiting for the answer to the message") == 0);
	CHECK(mail_talk_down(&t, STR("250 taken\r\n"), &why) && t.final == 250);
	CHECK(!mail_talk_down(&t, STR("hello\r\n"), &why) && t.cut);
}

static void
test_frames(void)
{
	struct label headers[] = { { STR("A"), STR("b\xff") } };
	struct send_job job = { .id = STR("n\"1"),
		.kind = RECEIVER_WEBHOOK,
		.timeout = { 5 },
		.at = { -7 },
		.require_tls = true,
		.body = STR("{}"),
		.headers = headers,
		.n_headers = 1,
		.http = { .bearer_file = STR("f"), .follow_redirects = true } },
	                back;
	struct send_result res = { .id = STR("n1"),
		.outcome = SEND_NEVER,
		.unsure = true,
		.why = STR("x\ny") },
	                   r2;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	enum send_frame_type type;
	struct str payload;
	size_t n, i;

	send_job_put(&out, &job);
	for (i = 0; i < out.n; i++)
		CHECK(send_frame_next(str_sub(buf_view(&out), 0, i), &type, &payload, &n) ==
		    SEND_PROTO_E_MORE);
	MUST(send_frame_next(buf_view(&out), &type, &payload, &n) == 0 && n == out.n &&
	    type == SEND_FRAME_JOB);
	MUST(send_job_get(payload, &arena, &back) == 0);
	CHECK_STR(back.id, job.id);
	CHECK(back.kind == RECEIVER_WEBHOOK && back.timeout.ns == 5 && back.at.ns == -7 &&
	    back.require_tls && back.http.follow_redirects && !back.http.insecure_skip_verify &&
	    back.n_headers == 1);
	CHECK_STR(back.headers[0].value, STR("b\xef\xbf\xbd"));
	CHECK_STR(back.http.bearer_file, STR("f"));
	CHECK(send_result_get(payload, &arena, &r2) == SEND_PROTO_E_FORMAT);
	buf_clear(&out);
	send_result_put(&out, &res);
	MUST(
	    send_frame_next(buf_view(&out), &type, &payload, &n) == 0 && type == SEND_FRAME_RESULT);
	MUST(send_result_get(payload, &arena, &r2) == 0);
	CHECK(r2.outcome == SEND_NEVER && r2.unsure);
	CHECK_STR(r2.why, res.why);
	out.p[4] = 9;
	CHECK(send_frame_next(buf_view(&out), &type, &payload, &n) == SEND_PROTO_E_FORMAT);
	CHECK(send_job_get(STR("{\"id\":\"x\",\"kind\":\"mail\",\"to\":7}"), &arena, &back) ==
	    SEND_PROTO_E_FORMAT);
	CHECK(send_job_get(STR("{\"id\":\"x\",\"kind\":\"fax\"}"), &arena, &back) ==
	    SEND_PROTO_E_FORMAT);
	CHECK(send_job_get(STR("[]"), &arena, &back) == SEND_PROTO_E_FORMAT);
	CHECK(send_job_get(STR("{\"id\":\"x\",\"id\":\"y\",\"kind\":\"mail\"}"), &arena, &back) ==
	    SEND_PROTO_E_FORMAT);
}

static void
test_webhook(void)
{
	static const struct {
		const char *value;
		int64_t s;
	} cases[] = { { "0", 0 }, { "7", 7 }, { " 120 ", 120 }, { "99999999999999999999", 3600 },
		{ "-5", 0 }, { "soon", 0 }, { "", 0 }, { "1.5", 0 },
		{ "Tue, 14 Nov 2023 22:14:20 GMT", 60 }, { "Tue, 14 Nov 2023 22:10:20 GMT", 0 },
		{ "Tue, 14 Nov 2033 22:14:20 GMT", 3600 } };
	static const char *const bad[] = { "", "ftp://x/", "file:///etc/passwd", "http://",
		"http:///x", "https://a b/", "http://a\r\nHost: b/", "http://a\\@b/", "gopher://x",
		"//x/", "http://?x" };
	struct wall now = { 1700000000 * NS_PER_S };
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(webhook_retry_after(str_c(cases[i].value), now).ns == cases[i].s * NS_PER_S);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!webhook_url_ok(str_c(bad[i]), &out));
	CHECK(webhook_url_ok(STR("HTTPS://h:1/p?q=%20#f"), &out));
	buf_clear(&out);
	/* RFC 4231, test case 2 */
	CHECK(webhook_sign(STR("Jefe"), STR("what do ya want for nothing?"), &out));
	CHECK_STR(buf_view(&out),
	    STR("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

int
main(void)
{
	test_headers();
	test_quoted();
	test_addresses();
	test_compose();
	test_talk();
	test_frames();
	test_webhook();
	return check_done();
}
