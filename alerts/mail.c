/*
 * alerts/mail.c - mail.
 * One job: a session of libesmtp through the relay, and what became of each recipient.
 * Floor: 4 (uses base).
 *
 *   reply        the recipient's      the message's
 *   2xx          goes on              delivered
 *   4xx, none    again                again, for all that were taken
 *   5xx          given up             given up, for all that were taken
 *   552          again (RFC 5321, 4.5.3.1.10)   given up
 *
 * What ends the session before (no connection, TLS, a refused password, 5xx to the greeting) is tried again: it is about the
 * way and not about the message.
 */
#include "alerts/mail.h"

#include <auth-client.h>
#include <libesmtp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "alerts/mail_link.h"

/* One address that is tried. */
struct mail_to {
	struct str text; /* as configured: what outcomes name */
	char *addr;
	smtp_recipient_t recipient;
	int code; /* of RCPT TO; 0: none */
	char why[200];
};

struct mail {
	const struct send_work *work;
	struct mail_link link;
	struct mail_talk talk;
	struct buf message;
	struct mail_to *to;
	size_t n_to;
	struct buf from, hello, user, password;
	bool read; /* the message was taken by libesmtp */
	smtp_session_t session;
	auth_context_t auth;
	struct arena arena;
	struct buf why;
};

static void
mail_fini(struct mail *m)
{
	size_t i;

	mail_link_fini(&m->link);
	mail_talk_fini(&m->talk);
	for (i = 0; i < m->n_to; i++)
		free(m->to[i].addr);
	buf_fini(&m->message);
	buf_fini(&m->from);
	buf_fini(&m->hello);
	buf_fini(&m->user);
	if (m->password.p != NULL)
		explicit_bzero(m->password.p, m->password.n);
	buf_fini(&m->password);
	buf_fini(&m->why);
	arena_fini(&m->arena);
}

static void
add_line(struct buf *out, struct str s)
{
	if (out->n > 0)
		buf_byte(out, '\n');
	buf_str(out, s);
}

static void
add_why(struct send_report *rep, struct str who, struct str what)
{
	if (rep->why.n > 0)
		buf_c(&rep->why, "; ");
	if (who.n > 0)
		buf_printf(&rep->why, "%.*s: ", STR_ARG(who));
	buf_str(&rep->why, what);
}

/* ---- what is to be sent ---- */

/* An address that SMTP cannot take is given up; the others go on. */
static int
mail_recipients(struct mail *m, struct send_report *rep)
{
	struct str list = m->work->job->to, one, name, addr;
	size_t end;

	m->to = arena_zalloc(&m->arena, SEND_TO_MAX, sizeof(*m->to));
	if (m->to == NULL)
		return err_origin(-ENOMEM);
	while (list.n > 0) {
		end = str_find_byte(list, '\n');
		one = str_sub(list, 0, end);
		list = str_sub(list, end < list.n ? end + 1 : list.n, list.n);
		if (one.n == 0)
			continue;
		if (m->n_to == SEND_TO_MAX || !mail_address(one, &name, &addr)) {
			add_line(&rep->to_failed, one);
			add_why(rep, one,
			    m->n_to == SEND_TO_MAX ? STR("more recipients than one mail may have")
			                           : STR("is no mail address"));
			continue;
		}
		m->to[m->n_to].text = one;
		m->to[m->n_to].addr = strndup((const char *)addr.p, addr.n);
		if (m->to[m->n_to++].addr == NULL)
			return err_origin(-ENOMEM);
	}
	return 0;
}

/* false: never to be sent; the reason is in ->why. */
static bool
mail_prepare(struct mail *m)
{
	const struct send_job *job = m->work->job;
	struct str name, addr;

	if (!mail_address(job->from, &name, &addr)) {
		buf_printf(&m->why, "from: \"%.*s\" is no mail address", STR_ARG(job->from));
		return false;
	}
	buf_str(&m->from, addr);
	buf_str(&m->hello, mail_hello_name(job));
	mail_compose(job, &m->message);
	return true;
}

/* The password stays in this process, which ends with the job. */
static bool
mail_secrets(struct mail *m)
{
	const struct send_job *job = m->work->job;

	if (job->auth_username.n == 0)
		return true;
	m->talk.want_auth = true;
	buf_str(&m->user, job->auth_username);
	return send_secret(m->work, job->auth_password_file, &m->password, &m->why);
}

/* ---- libesmtp ---- */

static const char *
message_cb(void **ctx, int *len, void *arg)
{
	struct mail *m = arg;

	(void)ctx;
	if (len == NULL) {
		m->read = false;
		return NULL;
	}
	if (m->read) {
		*len = 0;
		return NULL;
	}
	m->read = true;
	*len = (int)m->message.n;
	return (const char *)m->message.p;
}

static int
auth_cb(auth_client_request_t request, char **result, int fields, void *arg)
{
	struct mail *m = arg;
	int i;

	for (i = 0; i < fields; i++) {
		const char *s = NULL;

		if (request[i].flags & AUTH_USER)
			s = buf_c_str(&m->user);
		else if (request[i].flags & AUTH_PASS)
			s = buf_c_str(&m->password);
		result[i] = (char *)(uintptr_t)s;
		if (s == NULL)
			return 0;
	}
	return 1;
}

static bool
session_auth(struct mail *m)
{
	if (!m->talk.want_auth)
		return true;
	auth_client_init();
	m->auth = auth_create_context();
	/* in the clear within TLS: mail_hello made sure */
	return m->auth != NULL && auth_set_mechanism_flags(m->auth, AUTH_PLUGIN_PLAIN, 0) &&
	    auth_set_interact_cb(m->auth, auth_cb, m) && smtp_auth_set_context(m->session, m->auth);
}

static bool
session_make(struct mail *m, unsigned port)
{
	char server[40];
	smtp_message_t message;
	size_t i;

	(void)snprintf(server, sizeof(server), "127.0.0.1:%u", port);
	m->session = smtp_create_session();
	if (m->session == NULL || !smtp_set_server(m->session, server) ||
	    !smtp_set_hostname(m->session, buf_c_str(&m->hello)) || !session_auth(m))
		return false;
	/* every address on its own: one that is refused keeps nobody from their mail */
	(void)smtp_option_require_all_recipients(m->session, 0);
	message = smtp_add_message(m->session);
	if (message == NULL || !smtp_set_messagecb(message, message_cb, m) ||
	    !smtp_set_reverse_path(message, buf_c_str(&m->from)) ||
	    !smtp_size_set_estimate(message, m->message.n))
		return false;
	for (i = 0; i < m->n_to; i++) {
		m->to[i].recipient = smtp_add_recipient(message, m->to[i].addr);
		if (m->to[i].recipient == NULL)
			return false;
	}
	return true;
}

static void *
session_thread(void *arg)
{
	struct mail *m = arg;

	/* what it returns is not believed: statuses and the dialogue tell */
	(void)smtp_start_session(m->session);
	return NULL;
}

static void
session_statuses(struct mail *m)
{
	const smtp_status_t *s;
	size_t i;

	for (i = 0; i < m->n_to; i++) {
		s = smtp_recipient_status(m->to[i].recipient);
		if (s == NULL || s->code == 0)
			continue;
		m->to[i].code = s->code;
		(void)snprintf(m->to[i].why, sizeof(m->to[i].why), "%d %s", s->code,
		    s->text != NULL ? s->text : "");
	}
}

static void
session_run(struct mail *m, struct str greeting)
{
	AUTO_CLOSE int listener = -1;
	unsigned port = 0;
	pthread_t thread;

	listener = mail_relay_listen(&port);
	if (listener < 0 || !session_make(m, port)) {
		buf_printf(&m->why, "mail session: %s",
		    listener < 0 ? err_str(listener) : "libesmtp cannot make it");
		m->talk.cut = true;
	} else if (pthread_create(&thread, NULL, session_thread, m) != 0) {
		buf_c(&m->why, "mail session: no thread");
		m->talk.cut = true;
	} else {
		mail_relay(&m->link, &m->talk, greeting, listener);
		/* the thread has no peer now, wherever it is */
		(void)close(TAKE_FD(listener));
		(void)pthread_join(thread, NULL);
		session_statuses(m);
	}
	if (m->session != NULL)
		(void)smtp_destroy_session(m->session);
	if (m->auth != NULL)
		(void)auth_destroy_context(m->auth);
}

/* ---- outcomes ---- */

enum fate { FATE_DONE, FATE_LATER, FATE_NEVER };

static enum fate
fate_of(int code, bool rcpt)
{
	if (code >= 200 && code < 300)
		return FATE_DONE;
	if (code >= 500 && !(rcpt && code == 552))
		return FATE_NEVER;
	return FATE_LATER;
}

/* MAIL FROM that is refused for want of a login is about the way; for what is in it, about the message. */
static enum fate
sender_fate(const struct mail_talk *t)
{
	if (t->refused < 500 || t->refused == 530 || t->refused == 534 || t->refused == 535 ||
	    t->refused == 538)
		return FATE_LATER;
	return FATE_NEVER;
}

static enum fate
to_fate(const struct mail *m, const struct mail_to *to)
{
	const struct mail_talk *t = &m->talk;
	enum fate f = FATE_LATER;

	if (to->code == 0)
		f = !t->cut && t->refused_at == TALK_MAIL && t->refused != 0 ? sender_fate(t)
		                                                             : FATE_LATER;
	else
		f = fate_of(to->code, true);
	if (f != FATE_DONE || to->code == 0)
		return f;
	if (t->final != 0)
		return fate_of(t->final, false);
	/* DATA itself was refused: no valid recipients, or the message */
	if (t->refused_at == TALK_DATA && t->refused != 0)
		return fate_of(t->refused, false);
	return FATE_LATER;
}

static void
outcome_add(struct mail *m, struct send_report *rep, const struct mail_to *to)
{
	switch (to_fate(m, to)) {
	case FATE_DONE:
		return;
	case FATE_LATER:
		add_line(&rep->to_left, to->text);
		break;
	case FATE_NEVER:
		add_line(&rep->to_failed, to->text);
		break;
	}
	if (to->code >= 400)
		add_why(rep, to->text, str_c(to->why));
}

/* The general reason: what we cut for, what was refused, or how it ended. */
static void
outcome_why(struct mail *m, struct send_report *rep)
{
	const struct mail_talk *t = &m->talk;

	if (m->why.n > 0)
		add_why(rep, STR_NONE, buf_view(&m->why));
	else if (t->refused != 0 && t->refused_at != TALK_RCPT)
		add_why(rep, STR_NONE, buf_view(&t->reply));
	else if (rep->why.n == 0 && t->final == 0) {
		add_why(rep, STR_NONE, str_c(mail_talk_phase(t)));
		buf_c(&rep->why, ": the connection was cut");
	}
}

static void
mail_outcome(struct mail *m, struct send_report *rep)
{
	size_t i;

	for (i = 0; i < m->n_to; i++)
		outcome_add(m, rep, &m->to[i]);
	rep->r.unsure = m->talk.ended && m->talk.final == 0;
	if (rep->to_left.n > 0 || rep->to_failed.n > 0)
		outcome_why(m, rep);
	if (rep->r.unsure)
		buf_c(&rep->why, "; it may have arrived");
	if (rep->to_left.n > 0)
		rep->r.outcome = SEND_LATER;
	else if (m->talk.final >= 200 && m->talk.final < 300)
		rep->r.outcome = SEND_DONE;
	else
		rep->r.outcome = SEND_NEVER;
}

static void
mail_later(struct mail *m, struct send_report *rep, bool never)
{
	size_t i;

	rep->r.outcome = never ? SEND_NEVER : SEND_LATER;
	for (i = 0; i < m->n_to; i++)
		add_line(never ? &rep->to_failed : &rep->to_left, m->to[i].text);
	add_why(rep, STR_NONE, buf_view(&m->why));
}

static void
mail_try(struct mail *m, struct send_report *rep)
{
	AUTO_FINI(buf_fini) struct buf greeting = BUF_INIT;
	struct mail_link *l = &m->link;

	if (!mail_link_init(l, m->work, &m->why)) {
		mail_later(m, rep, true);
		return;
	}
	if (!mail_secrets(m) || !mail_link_connect(l) || !mail_hello(l, &greeting)) {
		mail_later(m, rep, false);
		return;
	}
	send_phase(m->work, "talking to the smarthost", false);
	session_run(m, buf_view(&greeting));
	mail_outcome(m, rep);
}

void
mail_send(const struct send_work *w, struct send_report *rep)
{
	struct mail *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		rep->r.outcome = SEND_LATER;
		buf_str(&rep->to_left, w->job->to);
		buf_c(&rep->why, "no memory");
		return;
	}
	/* the relay writes to what libesmtp may have closed */
	(void)signal(SIGPIPE, SIG_IGN);
	m->work = w;
	m->link.fd = -1;
	if (mail_recipients(m, rep) != 0 || (m->n_to > 0 && !mail_prepare(m)) ||
	    m->message.failed) {
		if (m->why.n == 0)
			buf_c(&m->why, "no memory");
		mail_later(m, rep, !m->message.failed && m->from.n == 0);
	} else if (m->n_to == 0) {
		rep->r.outcome = SEND_NEVER;
		if (rep->why.n == 0)
			buf_c(&rep->why, "nobody to send it to");
	} else {
		mail_try(m, rep);
	}
	mail_fini(m);
	free(m);
}
