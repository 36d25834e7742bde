#pragma once

#include <cstdint>

namespace hedge::routing {

/// P(X <= k) for X ~ Binomial(n, p), to about 1e-9 of itself for n up to 10^6. Preconditions: 0 <= k <= n, 0 <= p <= 1.
/// Source: the regularised incomplete beta function I(1 - p; n - k, k + 1), by its continued fraction (DLMF 8.17.22, modified Lentz).
double binomial_cdf(std::int64_t k, std::int64_t n, double p);

/// The exact one-sided bounds of a share at confidence 1 - delta (Clopper and Pearson 1934): whatever the true share p, hits of n draws
/// give a lower bound above p, or an upper bound below p, with a probability of at most delta.
/// Preconditions: 0 <= hits <= n, n > 0, 0 < delta < 1.
double clopper_pearson_lower(std::int64_t hits, std::int64_t n, double delta);
double clopper_pearson_upper(std::int64_t hits, std::int64_t n, double delta);

/// The fewest hits of n that show a share of at least `share` at confidence 1 - delta: P(X >= hits) <= delta for every smaller share.
/// n + 1 where not even n hits would. Preconditions: n > 0, 0 <= share <= 1, 0 < delta < 1.
std::int64_t fewest_hits(std::int64_t n, double share, double delta);

}  // namespace hedge::routing
