/*
 * alerts/route_receiver.c - receivers.
 * One job: global and receivers of alertmanager.yml: whom to mail, which webhooks to call, and with what.
 * Floor: 4 (uses doc, base).
 *
 * Secrets are names of files, which only the send process opens.
 */
#include <stddef.h>

#include "alerts/route_internal.h"

/* A list in the file as it is read: each email_configs and webhook_configs of a receiver. */
struct receiver_raw {
	struct str name;
	struct integration *mails, *hooks;
	size_t n_mails, n_hooks;
};

/* Relative names of files are in the secrets' folder, else beside the configuration. */
static struct str
file_path(struct route_parse *rp, struct str name)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	struct str base = rp->secrets;
	size_t i;

	if (name.n == 0 || name.p[0] == '/')
		return name;
	if (base.n == 0) {
		base = rp->routing->file;
		for (i = base.n; i > 0 && base.p[i - 1] != '/'; i--)
			;
		base = i > 0 ? str_sub(base, 0, i > 1 ? i - 1 : 1) : STR(".");
	}
	buf_printf(&path, "%.*s%s%.*s", STR_ARG(base), str_ends(base, STR("/")) ? "" : "/",
	    STR_ARG(name));
	return arena_dup(rp->walk.arena, buf_view(&path));
}

static void
read_file_name(struct walk *w, yaml_node_t *node, struct str *ret)
{
	struct str s;

	if (walk_scalar(w, node, &s))
		*ret = file_path(route_parse_of(w), s);
}

#define FILE_KEY(name, type, member)                                     \
	static void name(struct walk *w, yaml_node_t *node, void *base)  \
	{                                                                \
		read_file_name(w, node, &((struct type *)base)->member); \
	}

/* ---- http_config and tls_config ---- */

FILE_KEY(http_password_file, route_http, basic_password_file)
FILE_KEY(http_bearer_file, route_http, bearer_file)
FILE_KEY(tls_ca_file, route_http, ca_file)
FILE_KEY(tls_cert_file, route_http, cert_file)
FILE_KEY(tls_key_file, route_http, key_file)

#define HTTP(type, member, key)                                             \
	{                                                                   \
		key, WALK_##type, offsetof(struct route_http, member), NULL \
	}

static void
http_basic(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		HTTP(STR, basic_user, "username"),
		{ "password_file", WALK_CALL, 0, http_password_file },
		{ "password", WALK_CALL, 0, route_inline },
	};

	route_map(w, node, keys, ARRAY_LEN(keys), base);
}

static void
authorization_type(struct walk *w, yaml_node_t *node, void *base)
{
	struct str s;

	(void)base;
	if (walk_scalar(w, node, &s) && !str_eq_nocase(s, STR("Bearer")))
		walk_bad(w, node, "authorization: expected type Bearer, found '%.*s'", STR_ARG(s));
}

static void
http_authorization(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		{ "type", WALK_CALL, 0, authorization_type },
		{ "credentials_file", WALK_CALL, 0, http_bearer_file },
		{ "credentials", WALK_CALL, 0, route_inline },
	};

	route_map(w, node, keys, ARRAY_LEN(keys), base);
}

static void
http_tls(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		{ "ca_file", WALK_CALL, 0, tls_ca_file },
		{ "cert_file", WALK_CALL, 0, tls_cert_file },
		{ "key_file", WALK_CALL, 0, tls_key_file },
		HTTP(STR, server_name, "server_name"),
		HTTP(BOOL, insecure_skip_verify, "insecure_skip_verify"),
		{ "min_version", WALK_CALL, 0, route_not_done },
		{ "max_version", WALK_CALL, 0, route_not_done },
	};
	struct route_http *http = base;

	route_map(w, node, keys, ARRAY_LEN(keys), base);
	if ((http->cert_file.n == 0) != (http->key_file.n == 0))
		walk_bad(w, node, "tls_config: cert_file and key_file go together");
}

static void
read_http(struct walk *w, yaml_node_t *node, struct route_http *http)
{
	static const struct walk_key keys[] = {
		{ "basic_auth", WALK_CALL, 0, http_basic },
		{ "authorization", WALK_CALL, 0, http_authorization },
		{ "bearer_token_file", WALK_CALL, 0, http_bearer_file },
		{ "bearer_token", WALK_CALL, 0, route_inline },
		{ "tls_config", WALK_CALL, 0, http_tls },
		HTTP(BOOL, follow_redirects, "follow_redirects"),
		{ "enable_http2", WALK_CALL, 0, route_not_done },
		{ "oauth2", WALK_CALL, 0, route_not_done },
		{ "proxy_url", WALK_CALL, 0, route_not_done },
		{ "proxy_from_environment", WALK_CALL, 0, route_not_done },
		{ "proxy_connect_header", WALK_CALL, 0, route_not_done },
		{ "no_proxy", WALK_CALL, 0, route_not_done },
	};

	*http = (struct route_http){ .follow_redirects = true };
	route_map(w, node, keys, ARRAY_LEN(keys), http);
	if (http->basic_user.n > 0 && http->bearer_file.n > 0)
		walk_bad(w, node, "http_config: basic_auth and a bearer token exclude each other");
}

/* ---- global ---- */

static void
global_http(struct walk *w, yaml_node_t *node, void *base)
{
	(void)base;
	if (!route_is_null(node))
		read_http(w, node, &route_parse_of(w)->http);
}

static void
global_resolve(struct walk *w, yaml_node_t *node, void *base)
{
	(void)base;
	route_span(w, node, false, &route_parse_of(w)->routing->resolve_timeout);
}

FILE_KEY(mail_password_file, integration, auth_password_file)

static void
mail_tls(struct walk *w, yaml_node_t *node, void *base)
{
	http_tls(w, node, &((struct integration *)base)->http);
}

static void
mail_smarthost(struct walk *w, yaml_node_t *node, void *base)
{
	struct integration *in = base;
	size_t i;

	if (!walk_scalar(w, node, &in->smarthost))
		return;
	for (i = in->smarthost.n; i > 0 && in->smarthost.p[i - 1] != ':'; i--)
		;
	if (i < 2 || i == in->smarthost.n)
		walk_bad(w, node, "expected host:port, found '%.*s'", STR_ARG(in->smarthost));
}

#define IN(type, member, key)                                                \
	{                                                                    \
		key, WALK_##type, offsetof(struct integration, member), NULL \
	}

void
route_read_global(struct route_parse *rp)
{
	static const struct walk_key keys[] = {
		{ "resolve_timeout", WALK_CALL, 0, global_resolve },
		{ "http_config", WALK_CALL, 0, global_http },
		IN(STR, from, "smtp_from"),
		{ "smtp_smarthost", WALK_CALL, 0, mail_smarthost },
		IN(STR, hello, "smtp_hello"),
		IN(STR, auth_username, "smtp_auth_username"),
		{ "smtp_auth_password_file", WALK_CALL, 0, mail_password_file },
		{ "smtp_auth_password", WALK_CALL, 0, route_inline },
		{ "smtp_auth_identity", WALK_CALL, 0, route_not_done },
		{ "smtp_auth_secret", WALK_CALL, 0, route_not_done },
		{ "smtp_auth_secret_file", WALK_CALL, 0, route_not_done },
		IN(BOOL, require_tls, "smtp_require_tls"),
		{ "smtp_tls_config", WALK_CALL, 0, mail_tls },
		{ "slack_api_url", WALK_CALL, 0, route_not_done },
		{ "slack_api_url_file", WALK_CALL, 0, route_not_done },
		{ "victorops_api_key", WALK_CALL, 0, route_not_done },
		{ "victorops_api_key_file", WALK_CALL, 0, route_not_done },
		{ "victorops_api_url", WALK_CALL, 0, route_not_done },
		{ "pagerduty_url", WALK_CALL, 0, route_not_done },
		{ "opsgenie_api_key", WALK_CALL, 0, route_not_done },
		{ "opsgenie_api_key_file", WALK_CALL, 0, route_not_done },
		{ "opsgenie_api_url", WALK_CALL, 0, route_not_done },
		{ "wechat_api_url", WALK_CALL, 0, route_not_done },
		{ "wechat_api_secret", WALK_CALL, 0, route_not_done },
		{ "wechat_api_corp_id", WALK_CALL, 0, route_not_done },
		{ "telegram_api_url", WALK_CALL, 0, route_not_done },
		{ "webex_api_url", WALK_CALL, 0, route_not_done },
	};

	rp->http.follow_redirects = true;
	rp->mail.require_tls = true;
	rp->mail.hello = STR("localhost");
	if (rp->global != NULL)
		route_map(&rp->walk, rp->global, keys, ARRAY_LEN(keys), &rp->mail);
}

/* ---- email_configs ---- */

static bool
address_is_plain(struct str s)
{
	size_t i, at = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
		at += s.p[i] == '@';
	}
	return at > 0 && str_find(s, STR("{{")) == SIZE_MAX;
}

/* Addresses with commas between; a comma in quotes is a name's. */
static void
mail_to(struct walk *w, yaml_node_t *node, void *base)
{
	struct integration *in = base;
	struct str s, one;
	bool quoted = false;
	size_t i, from = 0;

	if (!walk_scalar(w, node, &s))
		return;
	in->to = arena_zalloc(w->arena, s.n + 1, sizeof(*in->to));
	if (in->to == NULL)
		return;
	for (i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] == '"')
			quoted = !quoted;
		if (i < s.n && (s.p[i] != ',' || quoted))
			continue;
		one = str_trim(str_sub(s, from, i));
		from = i + 1;
		if (one.n == 0)
			continue;
		if (!address_is_plain(one))
			walk_bad(w, node,
			    "to: expected addresses such as ops@example.org (templates are not done here), found '%.*s'",
			    STR_ARG(one));
		else
			in->to[in->n_to++] = one;
	}
}

struct header_list {
	struct label *p;
	size_t n;
};

static void
mail_header(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	struct header_list *list = base;
	struct label *h = &list->p[list->n];
	size_t i;

	if (!walk_scalar(w, value, &h->value))
		return;
	h->name = arena_dup(w->arena, key);
	for (i = 0; i < key.n; i++)
		if (key.p[i] <= 0x20 || key.p[i] >= 0x7f || key.p[i] == ':')
			break;
	if (i < key.n || key.n == 0)
		walk_bad(w, key_node, "headers: '%.*s' is no name of a header", STR_ARG(key));
	else if (str_find(h->value, STR("{{")) != SIZE_MAX)
		buf_printf(route_parse_of(w)->notes,
		    "%s:%zu:%zu: 'headers': templates are known and not done: %.*s is ours\n",
		    w->name, key_node->start_mark.line + 1, key_node->start_mark.column + 1,
		    STR_ARG(key));
	else
		list->n++;
}

static void
mail_headers(struct walk *w, yaml_node_t *node, void *base)
{
	struct integration *in = base;
	struct header_list list = { NULL, 0 };
	size_t n = 0;

	if (node->type == YAML_MAPPING_NODE)
		n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	list.p = arena_zalloc(w->arena, n + 1, sizeof(*list.p));
	if (list.p != NULL)
		walk_pairs(w, node, mail_header, &list);
	in->headers = list.p;
	in->n_headers = list.n;
}

static void
read_mail(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		IN(BOOL, send_resolved, "send_resolved"),
		{ "to", WALK_CALL, 0, mail_to },
		IN(STR, from, "from"),
		{ "smarthost", WALK_CALL, 0, mail_smarthost },
		IN(STR, hello, "hello"),
		IN(STR, auth_username, "auth_username"),
		{ "auth_password_file", WALK_CALL, 0, mail_password_file },
		{ "auth_password", WALK_CALL, 0, route_inline },
		{ "auth_identity", WALK_CALL, 0, route_not_done },
		{ "auth_secret", WALK_CALL, 0, route_not_done },
		{ "auth_secret_file", WALK_CALL, 0, route_not_done },
		IN(BOOL, require_tls, "require_tls"),
		{ "tls_config", WALK_CALL, 0, mail_tls },
		{ "headers", WALK_CALL, 0, mail_headers },
		{ "html", WALK_CALL, 0, route_not_done },
		{ "text", WALK_CALL, 0, route_not_done },
	};
	struct integration *in = item;

	*in = route_parse_of(w)->mail;
	in->kind = RECEIVER_EMAIL;
	in->send_resolved = false;
	route_map(w, node, keys, ARRAY_LEN(keys), in);
	if (in->n_to == 0)
		walk_bad(w, node, "email_configs: expected to: an address");
	if (in->from.n == 0)
		walk_bad(w, node, "email_configs: expected from, here or as smtp_from in global");
	if (in->smarthost.n == 0)
		walk_bad(w, node,
		    "email_configs: expected smarthost, here or as smtp_smarthost in global");
}

/* ---- webhook_configs ---- */

static void
hook_http(struct walk *w, yaml_node_t *node, void *base)
{
	struct integration *in = base;
	struct str hmac = in->http.hmac_file;

	if (route_is_null(node))
		return;
	read_http(w, node, &in->http);
	in->http.hmac_file = hmac;
}

static void
hook_url(struct walk *w, yaml_node_t *node, void *base)
{
	struct integration *in = base;
	struct str rest;
	size_t slash;

	if (!walk_scalar(w, node, &in->url))
		return;
	rest = str_starts(in->url, STR("https://")) ? str_sub(in->url, 8, in->url.n)
	    : str_starts(in->url, STR("http://"))   ? str_sub(in->url, 7, in->url.n)
	                                            : STR_NONE;
	slash = str_find_byte(rest, '/');
	if (rest.n == 0 || slash == 0)
		walk_bad(w, node, "expected a URL with http:// or https://");
	else if (str_find_byte(str_sub(rest, 0, slash), '@') != SIZE_MAX)
		walk_bad(w, node,
		    "url: secrets do not stand in this file: use http_config with basic_auth and password_file, or url_file");
}

static void
hook_max_alerts(struct walk *w, yaml_node_t *node, void *base)
{
	struct integration *in = base;
	struct str s;
	size_t i;
	uint64_t v = 0;

	if (!walk_scalar(w, node, &s))
		return;
	for (i = 0; i < s.n && i < 10 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		v = v * 10 + (s.p[i] - '0');
	if (i == 0 || i < s.n)
		walk_bad(w, node, "expected a number, 0 for all, found '%.*s'", STR_ARG(s));
	in->max_alerts = v;
}

static void
hook_timeout(struct walk *w, yaml_node_t *node, void *base)
{
	route_span(w, node, true, &((struct integration *)base)->timeout);
}

FILE_KEY(hook_url_file, integration, url_file)
FILE_KEY(hook_hmac_file, integration, http.hmac_file)

static void
read_hook(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		IN(BOOL, send_resolved, "send_resolved"),
		{ "http_config", WALK_CALL, 0, hook_http },
		{ "url", WALK_CALL, 0, hook_url },
		{ "url_file", WALK_CALL, 0, hook_url_file },
		{ "max_alerts", WALK_CALL, 0, hook_max_alerts },
		{ "timeout", WALK_CALL, 0, hook_timeout },
		{ "hmac_secret_file", WALK_CALL, 0, hook_hmac_file },
	};
	struct integration *in = item;

	in->kind = RECEIVER_WEBHOOK;
	in->send_resolved = true;
	in->http = route_parse_of(w)->http;
	route_map(w, node, keys, ARRAY_LEN(keys), in);
	if ((in->url.n == 0) == (in->url_file.n == 0))
		walk_bad(w, node, "webhook_configs: expected url or url_file");
}

/* ---- receivers ---- */

static void
receiver_mails(struct walk *w, yaml_node_t *node, void *base)
{
	struct receiver_raw *raw = base;
	void *items = NULL;

	if (route_is_null(node))
		return;
	raw->n_mails = walk_list(w, node, sizeof(struct integration), &items, read_mail);
	raw->mails = items;
}

static void
receiver_hooks(struct walk *w, yaml_node_t *node, void *base)
{
	struct receiver_raw *raw = base;
	void *items = NULL;

	if (route_is_null(node))
		return;
	raw->n_hooks = walk_list(w, node, sizeof(struct integration), &items, read_hook);
	raw->hooks = items;
}

/* One array, numbered within each kind. */
static void
join(struct walk *w, const struct receiver_raw *raw, struct receiver *ret)
{
	size_t i;

	ret->name = raw->name;
	ret->integrations =
	    arena_zalloc(w->arena, raw->n_mails + raw->n_hooks + 1, sizeof(*ret->integrations));
	if (ret->integrations == NULL)
		return;
	ret->n = raw->n_mails + raw->n_hooks;
	if (raw->n_mails > 0)
		memcpy(ret->integrations, raw->mails, raw->n_mails * sizeof(*raw->mails));
	if (raw->n_hooks > 0)
		memcpy(ret->integrations + raw->n_mails, raw->hooks,
		    raw->n_hooks * sizeof(*raw->hooks));
	for (i = 0; i < ret->n; i++)
		ret->integrations[i].index = (unsigned)(i < raw->n_mails ? i : i - raw->n_mails);
}

static void
read_receiver(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "name", WALK_STR, offsetof(struct receiver_raw, name), NULL },
		{ "email_configs", WALK_CALL, 0, receiver_mails },
		{ "webhook_configs", WALK_CALL, 0, receiver_hooks },
		{ "discord_configs", WALK_CALL, 0, route_not_done },
		{ "jira_configs", WALK_CALL, 0, route_not_done },
		{ "msteams_configs", WALK_CALL, 0, route_not_done },
		{ "opsgenie_configs", WALK_CALL, 0, route_not_done },
		{ "pagerduty_configs", WALK_CALL, 0, route_not_done },
		{ "pushover_configs", WALK_CALL, 0, route_not_done },
		{ "slack_configs", WALK_CALL, 0, route_not_done },
		{ "sns_configs", WALK_CALL, 0, route_not_done },
		{ "telegram_configs", WALK_CALL, 0, route_not_done },
		{ "victorops_configs", WALK_CALL, 0, route_not_done },
		{ "webex_configs", WALK_CALL, 0, route_not_done },
		{ "wechat_configs", WALK_CALL, 0, route_not_done },
	};
	struct receiver_raw raw = { 0 };

	route_map(w, node, keys, ARRAY_LEN(keys), &raw);
	if (raw.name.n == 0)
		walk_bad(w, node, "a receiver needs a name");
	join(w, &raw, item);
}

void
route_read_receivers(struct route_parse *rp)
{
	struct routing *r = rp->routing;
	void *items = NULL;
	size_t i, k;

	if (rp->receivers == NULL)
		return;
	r->n_receivers =
	    walk_list(&rp->walk, rp->receivers, sizeof(struct receiver), &items, read_receiver);
	r->receivers = items;
	for (i = 0; i < r->n_receivers; i++)
		for (k = 0; k < i; k++)
			if (r->receivers[i].name.n > 0 &&
			    str_eq(r->receivers[i].name, r->receivers[k].name))
				walk_bad(&rp->walk, rp->receivers,
				    "two receivers are called '%.*s'",
				    STR_ARG(r->receivers[i].name));
}
