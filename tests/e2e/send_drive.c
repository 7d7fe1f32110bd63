/*
 * tests/e2e/send_drive.c - outbox and sender without the rest.
 * One job: take notifications from standard input, deliver them as weird does, and say what became of each.
 *
 *   send_drive ALERTMANAGER.YML STATE.DB SECRETS [SOCKET]
 *
 *   put ID GROUP first|changed|repeat|resolved RECEIVER [TEXT…]   one notification for each integration of the receiver
 *   skip SECONDS                                                  the clock goes on so far
 *   list                                                          what is in the outbox, history too
 *   end                                                           at once
 *
 * Each line on standard output is a JSON object: {"try": …}, {"fate": …}, {"died": …}, {"item": …}, {"listed": n}, {"pid": …}, {"put": id}: it is stored.
 */
#include <poll.h>
#include <stdio.h>

#include "alerts/outbox.h"
#include "alerts/sender.h"
#include "base/io.h"

struct drive {
	struct statedb *db;
	struct routing *routing;
	struct outbox *outbox;
	struct sender *sender;
	struct span ahead;
	struct buf in;
	int pid;
	size_t n_listed;
	bool end;
};

static struct wall
drive_now(const struct drive *d)
{
	return (struct wall){ wall_now().ns + d->ahead.ns };
}

static void
say(struct buf *b)
{
	(void)printf("%s\n", buf_c_str(b));
	(void)fflush(stdout);
	buf_clear(b);
}

static void
text(struct buf *b, const char *key, struct str s)
{
	buf_printf(b, ", \"%s\": ", key);
	buf_json(b, s);
}

static void
item_say(const struct outbox_item *it, const char *what, struct str failed)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	buf_printf(&b, "{\"%s\": ", what);
	buf_json(&b, it->id);
	text(&b, "state", str_c(outbox_state_name(it->state)));
	text(&b, "receiver", it->receiver);
	text(&b, "group", it->group_key);
	text(&b, "message_id", it->message_id);
	text(&b, "in_reply_to", it->in_reply_to);
	text(&b, "to", it->to);
	text(&b, "failed", failed);
	text(&b, "error", it->last_error);
	buf_printf(&b, ", \"index\": %u, \"tries\": %u, \"due\": %lld}", it->index, it->n_tries,
	    (long long)it->due.ns);
	say(&b);
}

static void
on_fate(void *ctx, const struct outbox_item *it, struct str failed, struct wall at)
{
	(void)ctx;
	(void)at;
	item_say(it, "fate", failed);
}

static int
on_item(void *ctx, const struct outbox_item *it)
{
	struct drive *d = ctx;

	d->n_listed++;
	item_say(it, "item", STR_NONE);
	return 0;
}

static int
on_result(void *ctx, const struct send_result *r)
{
	static const char *const names[] = { "done", "later", "never" };
	struct drive *d = ctx;
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	buf_c(&b, "{\"try\": ");
	buf_json(&b, r->id);
	text(&b, "outcome", str_c(names[r->outcome]));
	text(&b, "why", r->why);
	text(&b, "left", r->to_left);
	text(&b, "failed", r->to_failed);
	buf_printf(&b, ", \"unsure\": %s, \"retry_after\": %g}", r->unsure ? "true" : "false",
	    (double)r->retry_after.ns / 1e9);
	say(&b);
	return outbox_result(d->outbox, r, drive_now(d));
}

static void
on_died(void *ctx)
{
	struct drive *d = ctx;
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	buf_c(&b, "{\"died\": ");
	buf_json(&b, str_c(sender_why(d->sender)));
	buf_c(&b, "}");
	say(&b);
	(void)outbox_restart(d->outbox, drive_now(d));
}

static const struct receiver *
receiver_of(const struct drive *d, struct str name)
{
	size_t i;

	for (i = 0; i < d->routing->n_receivers; i++)
		if (str_eq(d->routing->receivers[i].name, name))
			return &d->routing->receivers[i];
	return NULL;
}

static int
on_due(void *ctx, const struct outbox_item *it)
{
	struct drive *d = ctx;
	const struct receiver *r = receiver_of(d, it->receiver);
	size_t i;

	for (i = 0; r != NULL && i < r->n; i++)
		if (r->integrations[i].kind == it->kind && r->integrations[i].index == it->index)
			return sender_put(d->sender, it, &r->integrations[i]);
	return -ENOENT;
}

static struct str
word(struct str *line)
{
	size_t end = str_find_byte(*line, ' ');
	struct str w = str_sub(*line, 0, end);

	*line = str_sub(*line, end < line->n ? end + 1 : line->n, line->n);
	return w;
}

static int
put_one(struct drive *d, struct notification *n, struct str id)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf name = BUF_INIT;
	int r;

	buf_printf(&name, "%.*s.%s%u", STR_ARG(id),
	    n->integration->kind == RECEIVER_EMAIL ? "m" : "w", n->integration->index);
	n->id = buf_view(&name);
	r = message_pack(n, NULL, 0, "web1", &stored);
	return r != 0 ? r : outbox_put(d->outbox, n, buf_view(&stored), "host.example", n->at);
}

static int
put(struct drive *d, struct str line)
{
	static const char *const reasons[] = { "first", "changed", "repeat", "resolved" };
	struct str id = word(&line), group = word(&line), reason = word(&line);
	struct label labels[] = { { STR("alertname"), STR("Down") }, { STR("group"), group } };
	struct label notes[] = { { STR("summary"), STR_NONE } };
	struct route_alert alert = { .labels = { labels, 2 },
		.annotations = { notes, 1 },
		.starts_at = { drive_now(d).ns - NS_PER_MIN },
		.updated_at = drive_now(d) };
	struct notification n = { .group_key = group,
		.receiver = receiver_of(d, word(&line)),
		.group_labels = { labels, 2 },
		.common_labels = { labels, 2 },
		.alerts = &alert,
		.n = 1,
		.at = drive_now(d) };
	size_t i;
	int r;

	notes[0].value = line;
	for (i = 0; i < ARRAY_LEN(reasons); i++)
		if (str_eq_c(reason, reasons[i]))
			n.reason = (enum notify_reason)i;
	n.firing = n.reason != NOTIFY_RESOLVED;
	if (!n.firing)
		alert.ends_at.ns = drive_now(d).ns - NS_PER_S;
	if (n.receiver == NULL)
		return -ENOENT;
	r = statedb_begin(d->db);
	for (i = 0; r == 0 && i < n.receiver->n; i++) {
		n.integration = &n.receiver->integrations[i];
		r = put_one(d, &n, id);
	}
	if (r == 0)
		r = statedb_commit(d->db);
	if (r == 0)
		(void)printf("{\"put\": \"%.*s\"}\n", STR_ARG(id));
	(void)fflush(stdout);
	return r;
}

static int
command(struct drive *d, struct str line)
{
	struct str w = word(&line);

	if (str_eq_c(w, "put"))
		return put(d, line);
	if (str_eq_c(w, "skip")) {
		d->ahead.ns += (int64_t)strtoll((const char *)line.p, NULL, 10) * NS_PER_S;
	} else if (str_eq_c(w, "list")) {
		d->n_listed = 0;
		(void)outbox_each(d->outbox, true, on_item, d);
		(void)printf("{\"listed\": %zu}\n", d->n_listed);
		(void)fflush(stdout);
	} else {
		d->end = true;
	}
	return 0;
}

static int
commands(struct drive *d)
{
	uint8_t chunk[4096];
	size_t n = 0, end;
	int r;

	r = io_read(STDIN_FILENO, chunk, sizeof(chunk), &n);
	d->end = d->end || n == 0;
	buf_put(&d->in, chunk, n);
	while (r == 0 && (end = str_find_byte(buf_view(&d->in), '\n')) != SIZE_MAX) {
		d->in.p[end] = '\0';
		r = command(d, str_sub(buf_view(&d->in), 0, end));
		memmove(d->in.p, d->in.p + end + 1, d->in.n - end - 1);
		d->in.n -= end + 1;
	}
	return r;
}

static int
turn(struct drive *d)
{
	struct pollfd p[2] = { { STDIN_FILENO, POLLIN, 0 }, { sender_fd(d->sender), POLLIN, 0 } };
	int64_t left = outbox_next(d->outbox).ns - drive_now(d).ns;
	int ms = left < 0 ? 20 : left > 1000 * NS_PER_MS ? 1000 : (int)(left / NS_PER_MS) + 1;
	int r;

	(void)poll(p, 2, ms);
	r = sender_run(d->sender, drive_now(d), on_result, on_died, d);
	if (r == 0 && p[0].revents != 0)
		r = commands(d);
	if (r == 0)
		r = outbox_due(d->outbox, drive_now(d), sender_room(d->sender), on_due, d);
	if (sender_pid(d->sender) != d->pid) {
		d->pid = sender_pid(d->sender);
		(void)printf("{\"pid\": %d}\n", d->pid);
		(void)fflush(stdout);
	}
	return r;
}

static int
drive_open(struct drive *d, char **argv, struct buf *why)
{
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	int r;

	r = routing_load(argv[1], str_c(argv[3]), &d->routing, why, &notes);
	if (r == 0)
		r = statedb_open(&d->db, argv[2], why);
	if (r == 0)
		r = outbox_new(&d->outbox, d->db);
	if (r == 0)
		r = sender_new(&d->sender, argv[4], argv[3]);
	return r;
}

int
main(int argc, char **argv)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct drive d = { 0 };
	int r;

	if (argc >= 2 && strcmp(argv[1], "--role=send") == 0)
		return sender_role(3, argc == 4 ? argv[3] : NULL);
	if (argc < 4)
		return 2;
	r = drive_open(&d, argv, &why);
	if (r == 0) {
		outbox_watch(d.outbox, on_fate, &d);
		while (r == 0 && !d.end)
			r = turn(&d);
	}
	if (r != 0)
		(void)fprintf(stderr, "send_drive: %d %s %s %s\n", r, err_str(r), err_where(),
		    buf_c_str(&why));
	(void)sender_free(d.sender);
	(void)outbox_free(d.outbox);
	(void)statedb_close(d.db);
	(void)routing_free(d.routing);
	buf_fini(&d.in);
	return r == 0 ? 0 : 3;
}
