/* The job of src/srtp for libsrtp2.
 *
 *   cc -O2 srtp.c -lsrtp2
 *   ./a.out SUITE protect|unprotect [SECONDS]    ns of processor time for one packet, the median of many short runs; "none" where
 *                                                the library was built without the suite
 */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LENGTH 172
#define AT_ONCE 512
#define RUNS 30

static int policy_of(const char *suite, srtp_policy_t *policy) {
#define IS(name, set, set_rtcp) if (!strcmp(suite, name)) { set(&policy->rtp); set_rtcp(&policy->rtcp); return 1; }
    IS("AES_CM_128_HMAC_SHA1_80", srtp_crypto_policy_set_rtp_default, srtp_crypto_policy_set_rtcp_default)
    IS("AES_CM_128_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32, srtp_crypto_policy_set_rtcp_default)
    IS("AES_256_CM_HMAC_SHA1_80", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80)
    IS("AES_256_CM_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80)
    IS("AEAD_AES_128_GCM", srtp_crypto_policy_set_aes_gcm_128_16_auth, srtp_crypto_policy_set_aes_gcm_128_16_auth)
    IS("AEAD_AES_256_GCM", srtp_crypto_policy_set_aes_gcm_256_16_auth, srtp_crypto_policy_set_aes_gcm_256_16_auth)
    return 0;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static unsigned char packets[AT_ONCE][256];
static int lengths[AT_ONCE];
static unsigned long next;

static void make(unsigned char *packet) {
    unsigned long stamp = next * 160;
    const unsigned char head[12] = {0x80, 8, next >> 8, next, stamp >> 24, stamp >> 16, stamp >> 8, stamp, 0xde, 0xad, 0xbe, 0xef};
    memset(packet, 0xd5, LENGTH);
    memcpy(packet, head, sizeof head);
    next++;
}

int main(int count, char **arguments) {
    static unsigned char key[64];
    static double times[RUNS];
    srtp_policy_t policy;
    srtp_t out, in;
    memset(&policy, 0, sizeof policy);
    if (count < 3 || srtp_init() || !policy_of(arguments[1], &policy)) return 2;
    int unprotect = !strcmp(arguments[2], "unprotect");
    double seconds = count > 3 ? atof(arguments[3]) : 1;
    for (int at = 0; at < 64; at++) key[at] = (unsigned char)(5 * at);
    policy.key = key;
    policy.window_size = 128;
    policy.ssrc.type = ssrc_any_outbound;
    if (srtp_create(&out, &policy)) return puts("none"), 0;
    policy.ssrc.type = ssrc_any_inbound;
    if (srtp_create(&in, &policy)) return puts("none"), 0;
    long rounds = 1;
    for (int run = -1; run < RUNS; run++) {
        double spent = 0;
        long done = 0;
        while (done < rounds || (run < 0 && spent < seconds / RUNS)) {
            for (int at = 0; at < AT_ONCE; at++) {
                make(packets[at]);
                lengths[at] = LENGTH;
                if (unprotect && srtp_protect(out, packets[at], &lengths[at])) return 3;
            }
            double begin = now();
            for (int at = 0; at < AT_ONCE; at++) {
                if (unprotect ? srtp_unprotect(in, packets[at], &lengths[at]) : srtp_protect(out, packets[at], &lengths[at])) return 3;
            }
            spent += now() - begin;
            done++;
        }
        if (run < 0) rounds = done;
        else times[run] = spent / (double)(done * AT_ONCE) * 1e9;
    }
    qsort(times, RUNS, sizeof *times, ascending);
    printf("%.1f\n", times[RUNS / 2]);
    return 0;
}
