/* What libsrtp makes of packets: a second opinion on ours.
 *
 *   srtp_opinion SUITE KEY-AND-SALT-IN-HEX
 *
 * Each line of its input is "protect" or "unprotect", "rtp" or "rtcp", and a packet in hex; each line of its output the
 * packet that becomes of it in hex, or "error" and libsrtp's number. */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>

static size_t unhex(const char *text, unsigned char *to, size_t room) {
    size_t length = 0;
    unsigned octet;
    while (length < room && sscanf(text + 2 * length, "%2x", &octet) == 1) to[length++] = (unsigned char)octet;
    return length;
}

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

int main(int count, char **arguments) {
    static unsigned char key[64], packet[4096];
    static char line[9000], what[16], kind[16], text[8400];
    srtp_policy_t policy;
    srtp_t out, in;
    memset(&policy, 0, sizeof policy);
    if (count != 3 || srtp_init() || !policy_of(arguments[1], &policy)) return 2;
    unhex(arguments[2], key, sizeof key);
    policy.key = key;
    policy.window_size = 128;
    policy.ssrc.type = ssrc_any_outbound;
    if (srtp_create(&out, &policy)) return 3;
    policy.ssrc.type = ssrc_any_inbound;
    if (srtp_create(&in, &policy)) return 3;
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%15s %15s %8399s", what, kind, text) == 3) {
        int length = (int)unhex(text, packet, 2048), rtp = !strcmp(kind, "rtp");
        srtp_err_status_t failed = !strcmp(what, "protect")
            ? (rtp ? srtp_protect(out, packet, &length) : srtp_protect_rtcp(out, packet, &length))
            : (rtp ? srtp_unprotect(in, packet, &length) : srtp_unprotect_rtcp(in, packet, &length));
        if (failed) printf("error %d", failed);
        else for (int at = 0; at < length; at++) printf("%02x", packet[at]);
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
