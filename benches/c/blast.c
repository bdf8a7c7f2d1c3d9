/* blast FILE SECONDS SLOTS - sends RTP through a relay, both ways, and says what came back and how late.
 *
 * FILE has one call a line: la da lb db key_to key_from
 *   la, lb   local ports of the two parties, at 127.0.0.1
 *   da, db   the relay's ports that they send to, at 127.0.0.1 and at 127.0.0.2 where that is what RELAY_B says
 *   key_to   SDES key and salt (base64) of what B sends, or "-" for plain RTP; key_from of what B receives
 * and two more keys for A where both are SRTP. AES_CM_128_HMAC_SHA1_80 throughout.
 *
 * Every 20 ms each party sends one packet of G.711, 172 bytes, which begins its payload with when it was sent; calls are spread over SLOTS
 * equal parts of the 20 ms. What has come is read twice a second: the kernel's time stamp says when it came. One line of JSON.
 *
 * cc -O2 blast.c -lsrtp2 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <srtp2/srtp.h>

enum { HEADER = 12, PAYLOAD = 160, MOST = 20000, BATCH = 64, OPENED = 64 };
#define SECOND 1000000000ull

struct party {
    int fd;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    srtp_t out, in;
    uint64_t got;
};

static struct party parties[MOST];
static uint32_t *delays; /* ns */
static size_t delayed, room;

static uint64_t at(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static int connected(int local, const char *relay, int port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 1 << 20, on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(local), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(fd, (void *)&address, sizeof address)) { perror("bind"); exit(1); }
    address.sin_port = htons(port);
    inet_pton(AF_INET, relay, &address.sin_addr);
    if (connect(fd, (void *)&address, sizeof address)) { perror("connect"); exit(1); }
    return fd;
}

/* What a key in base64 is for a session of libsrtp; NULL for "-". */
static srtp_t session(const char *text, srtp_ssrc_type_t direction) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *key = calloc(1, 64);
    uint32_t bits = 0, held = 0, length = 0;
    if (!strcmp(text, "-")) return NULL;
    for (const char *place; *text && (place = strchr(letters, *text)); text++) {
        bits = bits << 6 | (uint32_t)(place - letters);
        if ((held += 6) >= 8) { held -= 8; key[length++] = bits >> held; }
    }
    if (length != 30) { fprintf(stderr, "a key of %u bytes\n", length); exit(1); }
    srtp_policy_t policy = {.ssrc.type = direction, .key = key, .window_size = 1024};
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    srtp_t made;
    if (srtp_create(&made, &policy)) { fprintf(stderr, "srtp_create\n"); exit(1); }
    return made;
}

static void send_one(struct party *one, uint64_t *sent, uint64_t *unsent) {
    uint8_t packet[256];
    uint64_t now = at(CLOCK_REALTIME);
    int length = HEADER + PAYLOAD;
    memset(packet, 0xd5, length);
    packet[0] = 0x80;
    packet[1] = 8;
    *(uint16_t *)(packet + 2) = htons(one->sequence++);
    *(uint32_t *)(packet + 4) = htonl(one->timestamp);
    one->timestamp += PAYLOAD;
    *(uint32_t *)(packet + 8) = htonl(one->ssrc);
    memcpy(packet + HEADER, &now, sizeof now);
    if (one->out && srtp_protect(one->out, packet, &length)) { ++*unsent; return; }
    if (send(one->fd, packet, length, 0) == length) ++*sent; else ++*unsent;
}

/* When it came, less when its payload says that it was sent. */
static void note_delay(struct msghdr *message, const uint8_t *packet) {
    uint64_t sent;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS && delayed < room) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            memcpy(&sent, packet + HEADER, sizeof sent);
            delays[delayed++] = t.tv_sec * SECOND + t.tv_nsec - sent;
        }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double delay(double share) {
    return delayed ? delays[(size_t)(share * (delayed - 1))] / 1000.0 : 0;
}

int main(int count, char **words) {
    if (count < 4) return 1;
    int seconds = atoi(words[2]), slots = atoi(words[3]), n = 0, la, da, lb, db;
    const char *relay_b = getenv("RELAY_B") ? getenv("RELAY_B") : "127.0.0.1";
    char keys[4][64], line[512];
    /* Another stream each time: one that began anew with its numbers would be its own replay. */
    uint32_t first = (uint32_t)(at(CLOCK_REALTIME) / 1000) & ~0xffffu;
    uint64_t sent = 0, unsent = 0, got = 0, good = 0, bad = 0;
    FILE *file = fopen(words[1], "r");
    if (!file || srtp_init()) return 1;
    while (fgets(line, sizeof line, file) && n + 2 <= MOST) {
        strcpy(keys[2], "-");
        strcpy(keys[3], "-");
        if (sscanf(line, "%d %d %d %d %63s %63s %63s %63s", &la, &da, &lb, &db, keys[0], keys[1], keys[2], keys[3]) < 6) break;
        parties[n] = (struct party){.fd = connected(la, "127.0.0.1", da), .ssrc = first + n,
            .out = session(keys[2], ssrc_any_outbound), .in = session(keys[3], ssrc_any_inbound)};
        n++;
        parties[n] = (struct party){.fd = connected(lb, relay_b, db), .ssrc = first + n,
            .out = session(keys[0], ssrc_any_outbound), .in = session(keys[1], ssrc_any_inbound)};
        n++;
    }
    room = (size_t)n * 50 * seconds + n;
    delays = malloc(room * sizeof *delays);

    static uint8_t packets[BATCH][2048], controls[BATCH][128];
    struct iovec places[BATCH];
    struct mmsghdr messages[BATCH];
    uint64_t begun = at(CLOCK_MONOTONIC), ticks = (uint64_t)seconds * 50 * slots;
    for (uint64_t tick = 0; tick < ticks; tick++) {
        uint64_t due = begun + tick * (SECOND / 50 / slots);
        struct timespec until = {.tv_sec = due / SECOND, .tv_nsec = due % SECOND};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        for (int i = tick % slots; i < n; i += slots) send_one(&parties[i], &sent, &unsent);
        if (tick % (25 * slots) && tick + 1 != ticks) continue;
        if (tick + 1 == ticks) usleep(300000);
        for (int i = 0; i < n; i++) {
            int read;
            do {
                for (int j = 0; j < BATCH; j++) {
                    places[j] = (struct iovec){packets[j], sizeof packets[j]};
                    messages[j].msg_hdr = (struct msghdr){.msg_iov = &places[j], .msg_iovlen = 1, .msg_control = controls[j], .msg_controllen = sizeof controls[j]};
                }
                read = recvmmsg(parties[i].fd, messages, BATCH, 0, NULL);
                for (int j = 0; j < read; j++) {
                    int length = messages[j].msg_len, is_open = !parties[i].in;
                    got++;
                    /* The first are opened, which shows that keys and transform are right; all would cost the machine. */
                    if (parties[i].in && parties[i].got < OPENED) {
                        is_open = srtp_unprotect(parties[i].in, packets[j], &length) == 0 && length == HEADER + PAYLOAD;
                        if (is_open) good++; else bad++;
                    }
                    parties[i].got++;
                    if (is_open) note_delay(&messages[j].msg_hdr, packets[j]);
                }
            } while (read == BATCH);
        }
    }
    double lasted = (at(CLOCK_MONOTONIC) - begun) / 1e9;
    int silent = 0;
    for (int i = 0; i < n; i++) silent += !parties[i].got;
    qsort(delays, delayed, sizeof *delays, by_size);
    printf("{\"parties\": %d, \"sent\": %lu, \"got\": %lu, \"unsent\": %lu, \"silent\": %d, \"opened\": %lu, \"unopened\": %lu, \"seconds\": %.3f, "
           "\"delay_p50\": %.1f, \"delay_p99\": %.1f, \"delay_p999\": %.1f}\n",
           n, sent, got, unsent, silent, good, bad, lasted, delay(0.5), delay(0.99), delay(0.999));
}
