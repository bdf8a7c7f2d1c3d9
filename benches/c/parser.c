/* The parser benchmark's job (src/parser.rs) for two parsers in C.
 *
 *   cc -O2 -DOSIP parser.c -losipparser2
 *   cc -O2 -DSOFIA parser.c $(pkg-config --cflags --libs sofia-sip-ua)
 *   ./a.out MESSAGE parsed|written [SECONDS]    ns of processor time for one message, the median of many short runs
 *
 * "parsed": the message and its typed header fields are made, the values are read, all is freed.
 * "written": it is made, put together again as contiguous bytes, and freed. sofia-sip keeps the text of header fields that
 * nobody has changed, as sip-types does; libosip2 prints each from its parts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile unsigned long sink;

/* Reads what a string points to, as its user would. */
static void text(const char *value) {
    if (value) sink += (unsigned char)value[0];
}

#ifdef OSIP
#include <sys/time.h>
#include <osipparser2/osip_parser.h>

static void parameters(osip_list_t *list) {
    for (int i = 0; i < osip_list_size(list); i++) {
        osip_generic_param_t *parameter = osip_list_get(list, i);
        text(parameter->gname);
        text(parameter->gvalue);
    }
}

static void uri(osip_uri_t *value) {
    if (!value) return;
    text(value->username);
    text(value->host);
    text(value->port);
}

static int once(const char *bytes, size_t length, int write) {
    osip_message_t *message;
    if (osip_message_init(&message)) return -1;
    if (osip_message_parse(message, bytes, length) || !message->from || !message->to || !message->call_id || !message->cseq) return -1;
    if (write) {
        char *out;
        size_t size;
        osip_message_force_update(message);
        if (osip_message_to_str(message, &out, &size)) return -1;
        sink += size + (unsigned char)out[size - 1];
        osip_free(out);
    } else {
        text(message->sip_method);
        sink += message->status_code;
        uri(message->req_uri);
        for (int i = 0; i < osip_list_size(&message->vias); i++) {
            osip_via_t *via = osip_list_get(&message->vias, i);
            text(via->protocol);
            text(via->host);
            text(via->port);
            parameters(&via->via_params);
        }
        uri(message->from->url);
        parameters(&message->from->gen_params);
        uri(message->to->url);
        parameters(&message->to->gen_params);
        text(message->call_id->number);
        text(message->call_id->host);
        text(message->cseq->number);
        text(message->cseq->method);
        for (int i = 0; i < osip_list_size(&message->contacts); i++) {
            osip_contact_t *contact = osip_list_get(&message->contacts, i);
            uri(contact->url);
            if (contact->url) parameters(&contact->url->url_params);
        }
        for (int i = 0; i < osip_list_size(&message->routes); i++) {
            osip_route_t *route = osip_list_get(&message->routes, i);
            uri(route->url);
            if (route->url) parameters(&route->url->url_params);
        }
    }
    osip_message_free(message);
    return 0;
}
#else
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>

static void uri(const url_t *value) {
    text(value->url_user);
    text(value->url_host);
    text(value->url_port);
}

static int once(const char *bytes, size_t length, int write) {
    msg_t *message = msg_make(sip_default_mclass(), 0, bytes, length);
    sip_t *sip = sip_object(message);
    if (!sip || sip->sip_error || !sip->sip_via || !sip->sip_from || !sip->sip_to || !sip->sip_call_id || !sip->sip_cseq) return -1;
    if (write) {
        static char out[65536];
        msg_iovec_t parts[256];
        size_t size = 0;
        if (msg_serialize(message, (msg_pub_t *)sip) < 0 || msg_prepare(message) < 0) return -1;
        size_t count = msg_iovec(message, parts, 256);
        if (count > 256) return -1;
        for (size_t i = 0; i < count; i++) {
            if (size + parts[i].mv_len > sizeof out) return -1;
            memcpy(out + size, parts[i].mv_base, parts[i].mv_len);
            size += parts[i].mv_len;
        }
        sink += size + (unsigned char)out[size - 1];
    } else {
        if (sip->sip_request) {
            text(sip->sip_request->rq_method_name);
            uri(sip->sip_request->rq_url);
        }
        if (sip->sip_status) sink += sip->sip_status->st_status;
        for (sip_via_t *via = sip->sip_via; via; via = via->v_next) {
            text(via->v_protocol);
            text(via->v_host);
            text(via->v_port);
            for (const msg_param_t *p = via->v_params; p && *p; p++) text(*p);
        }
        uri(sip->sip_from->a_url);
        text(sip->sip_from->a_tag);
        uri(sip->sip_to->a_url);
        text(sip->sip_to->a_tag);
        text(sip->sip_call_id->i_id);
        sink += sip->sip_cseq->cs_seq;
        text(sip->sip_cseq->cs_method_name);
        for (sip_contact_t *contact = sip->sip_contact; contact; contact = contact->m_next) {
            uri(contact->m_url);
            text(contact->m_url->url_params);
        }
        for (sip_route_t *route = sip->sip_route; route; route = route->r_next) {
            uri(route->r_url);
            text(route->r_url->url_params);
        }
    }
    msg_destroy(message);
    return 0;
}
#endif

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

#define RUNS 50

int main(int count, char **arguments) {
    static char bytes[65536];
    static double times[RUNS];
    if (count < 3) return 2;
    FILE *file = fopen(arguments[1], "rb");
    if (!file) return 2;
    size_t length = fread(bytes, 1, sizeof bytes - 1, file);
    int write = strcmp(arguments[2], "written") == 0;
    double seconds = count > 3 ? atof(arguments[3]) : 1;
#ifdef OSIP
    parser_init();
#endif
    long each = 1;
    double begin = now(), spent;
    do {
        if (once(bytes, length, write)) {
            puts("refused");
            return 1;
        }
        each++;
        spent = now() - begin;
    } while (spent < 0.1);
    each = each * (seconds / RUNS) / spent + 1;
    for (int run = 0; run < RUNS; run++) {
        begin = now();
        for (long i = 0; i < each; i++) once(bytes, length, write);
        times[run] = (now() - begin) / each * 1e9;
    }
    qsort(times, RUNS, sizeof *times, ascending);
    printf("%.1f\n", times[RUNS / 2]);
    return 0;
}
