/* The node's pseudo-random state: xoroshiro128+ (Blackman and Vigna, 2018). Seeded once per incarnation, then a field. */
#ifndef DISKARCH_PROTOCOL_RANDOM_H
#define DISKARCH_PROTOCOL_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state[2];
};

static inline uint64_t random_rotate(uint64_t bits, unsigned by)
{
    return bits << by | bits >> (64 - by);
}

static inline uint64_t random_next(struct random *random)
{
    uint64_t a = random->state[0];
    uint64_t b = random->state[1];
    uint64_t result = a + b;
    b ^= a;
    random->state[0] = random_rotate(a, 24) ^ b ^ b << 16;
    random->state[1] = random_rotate(b, 37);
    return result;
}

/* Uniform enough for back-off and slot choice: 0..below-1; 0 when below is 0. */
static inline uint64_t random_below(struct random *random, uint64_t below)
{
    return below == 0 ? 0 : (random_next(random) >> 1) % below;
}

static inline void random_seed(struct random *random, const uint64_t seed[2])
{
    random->state[0] = seed[0] ^ UINT64_C(0x9e3779b97f4a7c15);
    random->state[1] = seed[1] | 1; /* the all-zero state is the one that never leaves itself */
    for (int i = 0; i < 8; i++) {
        random_next(random);
    }
}

#endif
