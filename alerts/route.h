/*
 * alerts/route.h - Alertmanager's configuration.
 * One job: alertmanager.yml as structs, or every mistake with file:line:column; what we do not do is said by name.
 * Floor: 4 (uses logsql, base).
 */
#pragma once

#include "alerts/matcher.h"
#include "base/wall.h"

/* TLS and authentication of an outgoing connection; secrets are names of files, never values kept by main. */
struct route_http {
	struct str basic_user, basic_password_file, bearer_file;
	struct str ca_file, cert_file, key_file, server_name;
	bool insecure_skip_verify;
	bool follow_redirects; /* only to the same host */
	struct str
	    hmac_file; /* ours: hmac_secret_file: signs the body, header Weir-Signature: sha256=… */
};

enum receiver_kind { RECEIVER_EMAIL, RECEIVER_WEBHOOK };
struct integration {
	enum receiver_kind kind;
	unsigned index; /* within its kind in its receiver */
	bool send_resolved;
	/* email */
	struct str *to;
	size_t n_to;
	struct str from, smarthost, hello, auth_username, auth_password_file;
	bool require_tls;
	struct label *headers; /* may set Subject */
	size_t n_headers;
	/* webhook */
	struct str url, url_file;
	uint64_t max_alerts; /* 0: all */
	struct span timeout; /* 0: default */
	struct route_http http;
};
struct receiver {
	struct str name;
	struct integration *integrations;
	size_t n;
};

struct time_interval; /* route_time.c */

struct route {
	struct str id; /* Alertmanager's: {}/{a="b"}/… : part of group keys */
	struct str
	    place; /* id, and #2 for the second one of that id: what is kept of its groups is found by it */
	struct str receiver;
	struct matcher *matchers;
	size_t n_matchers;
	bool group_all; /* group_by: ['...'] */
	struct str *group_by;
	size_t n_group_by;
	struct span group_wait, group_interval, repeat_interval;
	bool go_on;       /* continue */
	struct str *mute; /* names of time intervals */
	size_t n_mute;
	struct str *active;
	size_t n_active;
	struct route *routes;
	size_t n_routes;
};

struct inhibit_rule {
	struct matcher *source, *target;
	size_t n_source, n_target;
	struct str *equal;
	size_t n_equal;
};

struct routing {
	struct str file;
	struct str text; /* as read, with secrets masked: the status of the API */
	struct span resolve_timeout;
	struct route root;
	struct receiver *receivers;
	size_t n_receivers;
	struct inhibit_rule *inhibits;
	size_t n_inhibits;
	struct time_interval *intervals;
	size_t n_intervals;
	struct arena arena;
};

enum { ROUTE_E_BAD = 1 };

/** routing_load(path, secrets, ret, ret_errors, ret_notes): ${ret_notes}: one line for each key that is known and not done
 * (slack_configs…).  ${secrets}: folder for relative file names, may be empty.  Errors: ROUTE_E_BAD, -errno. */
int routing_load(const char *path, struct str secrets, struct routing **ret, struct buf *ret_errors,
    struct buf *ret_notes);
int routing_parse(const char *name, struct str text, struct str secrets, struct routing **ret,
    struct buf *ret_errors, struct buf *ret_notes);
/** routing_default(ret): one receiver that sends nothing: alerts are kept and shown. */
int routing_default(struct routing **ret);
struct routing *routing_free(struct routing *r);
DEFINE_AUTO(struct routing *, routing_free)

/** routing_match(r, labels, fn, ctx): the nodes that take it, in order; at least one. */
typedef int (*route_fn)(void *ctx, const struct route *route);
int routing_match(const struct routing *r, const struct labels *labels, route_fn fn, void *ctx);

/** routing_receiver(r, name): NULL: none such. */
const struct receiver *routing_receiver(const struct routing *r, struct str name);

/** routing_in_interval(r, names, n, at): whether one of these intervals holds at ${at}. */
bool routing_in_interval(const struct routing *r, const struct str *names, size_t n,
    struct wall at);
