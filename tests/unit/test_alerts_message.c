/*
 * tests/unit/test_alerts_message.c - what notifications say.
 * One job: evidence from a real store, and messages made of it: for people, for programs, two as one, and hostile ones.
 */
#include <jansson.h>

#include "alerts/evidence.h"
#include "alerts/message.h"
#include "base/utf8.h"
#include "check.h"
#include "store/store.h"

static const struct wall start = { 1700000000 * NS_PER_S };

struct made {
	char path[64];
	struct rule rule;
	struct arena arena;
	struct route_alert alert;
	struct label labels[3], notes[1], values[1];
};

/* ---- a store with 40 errors of a service, each with a request ID, and as many of another ---- */

static void
append(struct store *s, int i, const char *service, const char *msg)
{
	char id[32], num[16], text[128];
	struct field f[4];
	struct record rec = { .time = { start.ns + i * NS_PER_S },
		.stream = STR("{host=\"h\",unit=\"api.service\"}"),
		.fields = f,
		.n_fields = 4,
		.flags = RECORD_HAS_TIME };

	(void)snprintf(num, sizeof(num), "%d", i);
	(void)snprintf(id, sizeof(id), "req_%08x", (unsigned)i * 2654435761u);
	(void)snprintf(text, sizeof(text), "%s %s", msg, num);
	f[0] = (struct field){ STR("_msg"), str_c(text), VALUE_STRING };
	f[1] = (struct field){ STR("level"), str_c(i % 2 == 0 ? "error" : "info"), VALUE_STRING };
	f[2] = (struct field){ STR("service"), str_c(service), VALUE_STRING };
	f[3] = (struct field){ STR("request_id"), str_c(id), VALUE_STRING };
	MUST(store_append(s, &rec, 1) == 0);
	if (i == 38) { /* the worst request has another row, of another service */
		f[0].value = STR("took the order");
		f[1].value = STR("info");
		f[2].value = STR("nginx");
		MUST(store_append(s, &rec, 1) == 0);
	}
}

static void
make_store(struct made *m)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct store_options opt = { 0 };
	struct store *s = NULL;
	int i;

	(void)strcpy(m->path, "/tmp/weir-test-message-XXXXXX");
	MUST(mkdtemp(m->path) != NULL);
	MUST(store_open(&s, m->path, &opt, start, &why) == 0);
	for (i = 0; i < 40; i++) {
		append(s, i, "shop", "payment refused: card");
		append(s, i, "mail", "queue is long: ");
	}
	MUST(store_commit(s, start) == 0);
	(void)store_close(s);
}

static void
make_rule(struct made *m)
{
	struct logsql_options lo = { start, 0 };
	struct logsql_error e = { 0 };

	m->rule = (struct rule){ .kind = RULE_ALERT,
		.name = STR("Refused"),
		.expr = STR(
		    "level:error or level:warn | stats by (service) count() as n | filter n:>3"),
		.window = { NS_PER_MIN },
		.stream = true };
	MUST(query_parse(m->rule.expr, &lo, &m->arena, &m->rule.query, &e) == 0);
	m->labels[0] = (struct label){ STR("alertname"), STR("Refused") };
	m->labels[1] = (struct label){ STR("service"), STR("shop") };
	m->labels[2] = (struct label){ STR("severity"), STR("page") };
	m->notes[0] = (struct label){ STR("summary"), STR("20 payments <b>refused</b>") };
	m->values[0] = (struct label){ STR("n"), STR("20") };
	m->alert = (struct route_alert){ .labels = { m->labels, 3 },
		.annotations = { m->notes, 1 },
		.values = { m->values, 1 },
		.value = 20,
		.rule_id = 7,
		.starts_at = { start.ns + 40 * NS_PER_S },
		.updated_at = { start.ns + 40 * NS_PER_S } };
}

static void
drop_store(const struct made *m)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", m->path);
	CHECK(system(command) == 0);
}

static struct wall
later(int s)
{
	return (struct wall){ start.ns + s * NS_PER_S };
}

/* ---- evidence ---- */

static void
test_evidence(struct made *m, struct evidence *ev)
{
	double sum = 0;
	size_t i;

	MUST(evidence_find(m->path, &m->rule, &m->alert, later(41), &m->arena, ev) == 0);
	CHECK_STR(ev->cut, STR(""));
	CHECK(ev->n_rows == 20); /* of shop alone */
	CHECK(ev->n_lines == EVIDENCE_LINES_MAX);
	CHECK_STR(ev->lines[ev->n_lines - 1].text, STR("payment refused: card 38"));
	CHECK(ev->lines[ev->n_lines - 1].time.ns == later(38).ns);
	for (i = 0; i < ev->n_bars; i++)
		sum += ev->bars[i];
	CHECK(sum == 20);
	CHECK(ev->n_patterns == 1 && ev->patterns[0].n == 20);
	CHECK_STR(ev->patterns[0].text, STR("payment refused: card <*>"));
	CHECK(ev->n_trace == 4);
	CHECK_STR(ev->trace_id, STR("req_7c3c1046"));
	CHECK_STR(ev->query,
	    STR("weir query --since 2023-11-14T22:13:00Z --until 2023-11-14T22:14:02Z '(level:error or "
	        "level:warn) service:=\"shop\"'"));
}

static void
test_evidence_without_store(struct made *m)
{
	struct evidence ev = { 0 };

	CHECK(evidence_find("/nonexistent/store", &m->rule, &m->alert, later(41), &m->arena, &ev) ==
	    0);
	CHECK(ev.n_lines == 0 && ev.cut.n > 0);
	CHECK(evidence_find(m->path, NULL, &m->alert, later(41), &m->arena, &ev) == 0);
	CHECK(ev.n_lines == 0 && ev.query.n == 0);
}

/* ---- messages ---- */

static void
pack(struct made *m, const struct route_alert *alerts, size_t n, bool firing,
    const struct evidence *ev, struct buf *out)
{
	static const struct integration mail = { .kind = RECEIVER_EMAIL };
	static const struct receiver ops = { .name = STR_INIT("ops") };
	struct notification note = { .id = STR("id1"),
		.receiver = &ops,
		.integration = &mail,
		.group_key = STR("{}:{alertname=\"Refused\"}"),
		.group_labels = { m->labels, 1 },
		.common_labels = { m->labels, 3 },
		.common_annotations = { m->notes, 1 },
		.reason = firing ? NOTIFY_FIRST : NOTIFY_RESOLVED,
		.firing = firing,
		.alerts = alerts,
		.n = n,
		.at = later(41) };

	MUST(message_pack(&note, ev, ev != NULL ? 1 : 0, "web1", out) == 0);
}

static bool
has(const struct buf *b, const char *text)
{
	return str_find(buf_view(b), str_c(text)) != SIZE_MAX;
}

static void
test_mail(struct made *m, const struct evidence *ev)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT;
	struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };

	pack(m, &m->alert, 1, true, ev, &stored);
	MUST(message_mail(buf_view(&stored), &mail) == 0);
	CHECK_STR(buf_view(&mail.subject),
	    STR("[FIRING:1] Refused service=shop severity=page on web1: 20 payments <b>refused</b>"));
	CHECK(has(&mail.text, "payment refused: card 38\n"));
	CHECK(has(&mail.text, " shop error  payment refused: card 38\n"));
	CHECK(has(&mail.text, " nginx info  took the order\n"));
	CHECK(has(&mail.text, "20 x NEW payment refused: card <*>"));
	CHECK(has(&mail.text, "Lines (newest 10 of 20)"));
	CHECK(has(&mail.text, "█"));
	CHECK(has(&mail.text, "weir trace req_7c3c1046"));
	CHECK(has(&mail.text,
	    "weir silence add --for 2h 'alertname=Refused' 'service=shop' 'severity=page'"));
	CHECK(has(&mail.text, "rule        level:error or level:warn | stats"));
	CHECK(has(&mail.html, "20 payments &lt;b&gt;refused") && !has(&mail.html, "<b>refused"));
	message_mail_fini(&mail);
}

static void
test_hook(struct made *m, const struct evidence *ev)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT, out = BUF_INIT;
	json_t *j, *a;

	pack(m, &m->alert, 1, true, ev, &stored);
	MUST(message_webhook(buf_view(&stored), &out) == 0);
	j = json_loadb((const char *)out.p, out.n, 0, NULL);
	MUST(j != NULL);
	a = json_array_get(json_object_get(j, "alerts"), 0);
	CHECK(strcmp(json_string_value(json_object_get(j, "version")), "4") == 0);
	CHECK(strcmp(json_string_value(json_object_get(j, "status")), "firing") == 0);
	CHECK(strcmp(json_string_value(json_object_get(a, "endsAt")), "0001-01-01T00:00:00Z") == 0);
	CHECK(
	    strcmp(json_string_value(json_object_get(a, "startsAt")), "2023-11-14T22:14:00Z") == 0);
	CHECK(json_array_size(json_object_get(j, "evidence")) == 1);
	json_decref(j);
}

/* What fired and was over before it could be told is told once, and that it fired is said. */
static void
test_join(struct made *m, const struct evidence *ev)
{
	AUTO_FINI(buf_fini) struct buf a = BUF_INIT, b = BUF_INIT, both = BUF_INIT, bad = BUF_INIT;
	struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct route_alert over = m->alert;

	over.ends_at = later(41);
	pack(m, &m->alert, 1, true, ev, &a);
	pack(m, &over, 1, false, NULL, &b);
	MUST(message_join(buf_view(&a), buf_view(&b), &both) == 0);
	MUST(message_mail(buf_view(&both), &mail) == 0);
	CHECK(has(&mail.subject, "[RESOLVED] Refused"));
	CHECK(has(&mail.text, "it fired and was over before this could be delivered"));
	CHECK(has(&mail.text, "payment refused: card 38\n"));
	CHECK(has(&mail.text, " shop error  payment refused: card 38\n"));
	CHECK(has(&mail.text, " nginx info  took the order\n"));
	message_mail_fini(&mail);
	CHECK(message_join(buf_view(&a), STR("{\"v\":1}"), &bad) == MESSAGE_E_BAD);
	CHECK(message_mail(STR("nothing"), &mail) == MESSAGE_E_BAD);
}

/* Bytes of a log that would do harm in a header, a terminal or a page. */
static void
test_hostile(struct made *m)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT, hook = BUF_INIT;
	struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct label evil[3] = { m->labels[0],
		{ STR("service"), STR("x\r\nBcc: evil@example.com\r\n\r\n\x1b[2J\xff\xfe\0z") },
		{ STR("severity"), STR("a'b; rm -rf / #\xe2\x80\xae") } };
	struct route_alert a = m->alert;
	size_t i;

	m->notes[0].value = STR("<script>alert(1)</script>\n.\nQUIT\r\n");
	a.labels = (struct labels){ evil, 3 };
	pack(m, &a, 1, true, NULL, &stored);
	MUST(message_mail(buf_view(&stored), &mail) == 0);
	for (i = 0; i < mail.subject.n; i++)
		CHECK(mail.subject.p[i] >= 0x20 && mail.subject.p[i] != 0x7f);
	CHECK(mail.subject.n <= MESSAGE_SUBJECT_MAX);
	CHECK(utf8_valid(buf_view(&mail.subject)) && utf8_valid(buf_view(&mail.text)) &&
	    utf8_valid(buf_view(&mail.html)));
	CHECK(!has(&mail.text, "\nBcc:") && !has(&mail.text, "\n.\n") && !has(&mail.text, "\x1b"));
	CHECK(has(&mail.text, "'severity=a'\\''b; rm -rf / # '"));
	CHECK(!has(&mail.html, "<script>"));
	CHECK(message_webhook(buf_view(&stored), &hook) == 0);
	message_mail_fini(&mail);
}

/* The summary stands in the subject whatever else there is to say. */
static void
test_subject(struct made *m)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT;
	struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct str was = m->labels[2].value;

	m->labels[2].value =
	    STR("a form of a message that goes on for longer than a subject has room for it");
	pack(m, &m->alert, 1, true, NULL, &stored);
	MUST(message_mail(buf_view(&stored), &mail) == 0);
	CHECK_STR(buf_view(&mail.subject),
	    STR("[FIRING:1] Refused service=shop on web1: 20 payments <b>refused</b>"));
	message_mail_fini(&mail);
	m->labels[2].value = was;
}

/* A storm: many alerts in one message stay within its bounds, and their number is told. */
static void
test_many(struct made *m, const struct evidence *ev)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT;
	struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct route_alert *all = calloc(DISPATCH_ALERTS_MAX, sizeof(*all));
	struct label(*l)[3] = calloc(DISPATCH_ALERTS_MAX, sizeof(*l));
	char(*names)[16] = calloc(DISPATCH_ALERTS_MAX, sizeof(*names));
	size_t i;

	MUST(all != NULL && l != NULL && names != NULL);
	for (i = 0; i < DISPATCH_ALERTS_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "s%zu", i);
		all[i] = m->alert;
		memcpy(l[i], m->labels, sizeof(l[i]));
		l[i][1].value = str_c(names[i]);
		all[i].labels = (struct labels){ l[i], 3 };
	}
	pack(m, all, DISPATCH_ALERTS_MAX, true, ev, &stored);
	CHECK(stored.n <= MESSAGE_STORED_MAX);
	MUST(message_mail(buf_view(&stored), &mail) == 0);
	CHECK(mail.text.n <= MESSAGE_TEXT_MAX);
	CHECK(has(&mail.subject, "[FIRING:1000]"));
	CHECK(has(&mail.text, "and 945 more: weir alerts"));
	message_mail_fini(&mail);
	free(all);
	free(l);
	free(names);
}

int
main(void)
{
	struct made m = { .arena = ARENA_INIT };
	struct evidence ev = { 0 };

	(void)setenv("TZ", "UTC", 1);
	make_store(&m);
	make_rule(&m);
	test_evidence(&m, &ev);
	test_evidence_without_store(&m);
	test_mail(&m, &ev);
	test_subject(&m);
	test_hook(&m, &ev);
	test_join(&m, &ev);
	test_many(&m, &ev);
	test_hostile(&m);
	drop_store(&m);
	arena_fini(&m.arena);
	return check_done();
}
