/* ---- Vectors and matrices, row by row ---- */

#define TINY 1e-37f /* in place of zero as a divisor */

static float* take(float** scratch, size_t floats) {
  float* first = *scratch;
  *scratch += floats;
  return first;
}

static void fill(float* x, size_t n, float value) {
  size_t i;
  for (i = 0; i < n; ++i) x[i] = value;
}

/* Eight sums that do not wait for each other. */
static float dot(const float* a, const float* b, size_t n) {
  float sums[8] = {0};
  const size_t rest = n % 8, whole = n - rest;
  size_t i, k;
  for (i = 0; i < whole; i += 8)
    for (k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  for (k = 0; k < rest; ++k) sums[k] += a[whole + k] * b[whole + k];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/* y += factor x */
static void add_scaled(float factor, const float* x, size_t n, float* y) {
  size_t i;
  for (i = 0; i < n; ++i) y[i] += factor * x[i];
}

/* ---- One head. D = HEAD_WIDTH; n queries, m keys. Scores S and kernels have a key per row: [m,
 * n]. Duals and features count up to a constant. ---- */

enum { MODE_LOOP, MODE_ROW_DUAL, MODE_KEY_BIAS };

typedef struct {
  int mode;          /* loop: Sinkhorn's; row dual, key bias: what a map predicts */
  int iterations;    /* of the loop; 0 is softmax attention */
  float slack;       /* of the loop: columns sum to at most (1 + slack) n / m */
  float root;        /* of the factor of the scores */
  int slices;        /* L; potential, gaussian and linear have L features each */
  int landmarks;     /* prototypes of the landmark dual */
  int landmark_loop; /* iterations of the loop against them */
  int corrections;   /* corrected iterations */
  int potential, gaussian, linear, tilt, log_sum_exp, first_dual; /* features, 0 or 1 */
  const float *query_slices, *key_slices;                         /* [L, D] */
  const float* prototypes;                                        /* [landmarks, D] */
  const float* weights; /* P, then t + P for t = 1 .. corrections; NULL: f = 0 */
} attention_head;

/* Centred tokens, multiplied by the root: rows [count, D], and the mean that was subtracted. */
typedef struct {
  size_t count;
  float *rows, *mean;
} head_side;

static head_side centred(const float* tokens, size_t stride, size_t count, float root,
                         float** scratch) {
  head_side side;
  size_t i, d;
  side.count = count;
  side.rows = take(scratch, count * HEAD_WIDTH);
  side.mean = take(scratch, HEAD_WIDTH);
  for (d = 0; d < HEAD_WIDTH; ++d) {
    double sum = 0;
    for (i = 0; i < count; ++i) sum += (double)tokens[i * stride + d];
    side.mean[d] = root * (float)(sum / (double)count);
  }
  for (i = 0; i < count; ++i)
    for (d = 0; d < HEAD_WIDTH; ++d)
      side.rows[i * HEAD_WIDTH + d] = root * tokens[i * stride + d] - side.mean[d];
  return side;
}

/* S_ji = y_j . x_i for m rows y. */
static void scores_of(const head_side* x, const float* y, size_t m, float* scores, float* scratch) {
  const size_t n = x->count;
  float* columns = take(&scratch, n * HEAD_WIDTH);
  size_t i, j, d;
  for (i = 0; i < n; ++i)
    for (d = 0; d < HEAD_WIDTH; ++d) columns[d * n + i] = x->rows[i * HEAD_WIDTH + d];
  fill(scores, m * n, 0);
  for (j = 0; j < m; ++j)
    for (d = 0; d < HEAD_WIDTH; ++d)
      add_scaled(y[j * HEAD_WIDTH + d], columns + d * n, n, scores + j * n);
}

/* y_j . mean of x: the dual from which the loop starts on centred keys. */
static void start_dual(const float* y, size_t m, const float* x_mean, float* start) {
  size_t j;
  for (j = 0; j < m; ++j) start[j] = dot(y + j * HEAD_WIDTH, x_mean, HEAD_WIDTH);
}

/* top_i = max_j S_ji + g_j */
static void largest_terms(const float* scores, size_t n, size_t m, const float* g, float* top) {
  size_t i, j;
  for (i = 0; i < n; ++i) top[i] = scores[i] + g[0];
  for (j = 1; j < m; ++j)
    for (i = 0; i < n; ++i) {
      const float term = scores[j * n + i] + g[j];
      top[i] = term > top[i] ? term : top[i];
    }
}

/* f_i = -log sum_j exp(S_ji + g_j) */
static void row_update(const float* scores, size_t n, size_t m, const float* g, float* f,
                       float* scratch) {
  float* top = take(&scratch, n);
  size_t i, j;
  largest_terms(scores, n, m, g, top);
  fill(f, n, 0);
  for (j = 0; j < m; ++j)
    for (i = 0; i < n; ++i) f[i] += expf(scores[j * n + i] + g[j] - top[i]);
  for (i = 0; i < n; ++i) f[i] = -(top[i] + logf(f[i]));
}

/* g_j = -log sum_i exp(S_ji + f_i) */
static void column_update(const float* scores, size_t n, size_t m, const float* f, float* g) {
  size_t i, j;
  for (j = 0; j < m; ++j) {
    const float* row = scores + j * n;
    float top = row[0] + f[0], sum = 0;
    for (i = 1; i < n; ++i) top = row[i] + f[i] > top ? row[i] + f[i] : top;
    for (i = 0; i < n; ++i) sum += expf(row[i] + f[i] - top);
    g[j] = -(top + logf(sum));
  }
}

/* In place, exp(S_ji + g_j) with the largest term of every query 1. */
static void row_kernel(float* scores, size_t n, size_t m, const float* g, float* scratch) {
  float* top = take(&scratch, n);
  size_t i, j;
  largest_terms(scores, n, m, g, top);
  for (j = 0; j < m; ++j)
    for (i = 0; i < n; ++i) scores[j * n + i] = expf(scores[j * n + i] + g[j] - top[i]);
}

/* In place, exp(S_ji + f_i) with the sum of every key 1. From here on updates are products. */
static void column_kernel(float* scores, size_t n, size_t m, const float* f) {
  size_t i, j;
  for (j = 0; j < m; ++j) {
    float *row = scores + j * n, top = row[0] + f[0], sum = 0;
    for (i = 1; i < n; ++i) top = row[i] + f[i] > top ? row[i] + f[i] : top;
    for (i = 0; i < n; ++i) {
      row[i] = expf(row[i] + f[i] - top);
      sum += row[i];
    }
    for (i = 0; i < n; ++i) row[i] /= sum;
  }
}

/* sums_i = sum_j K_ji v_j */
static void row_sums(const float* kernel, size_t n, size_t m, const float* v, float* sums) {
  size_t i, j;
  fill(sums, n, 0);
  for (j = 0; j < m; ++j) add_scaled(v[j], kernel + j * n, n, sums);
  for (i = 0; i < n; ++i) sums[i] = sums[i] > TINY ? sums[i] : TINY;
}

/* Whether products with these scalings lose nothing that counts of a kernel's smallest entries. */
static int is_in_range(const float* x, size_t n) {
  size_t i;
  for (i = 0; i < n; ++i)
    if (!(x[i] > 1e-15f && x[i] < 1e15f)) return 0;
  return 1;
}

/* The column scaling v after some iterations, the first of which made the kernel. Returns 0 where
 * a scaling leaves the range. */
static int column_scaling(const float* kernel, size_t n, size_t m, const float* mass,
                          int iterations, float* v, float* scratch) {
  float* u = take(&scratch, n);
  size_t i, j;
  int t;
  for (j = 0; j < m; ++j) v[j] = mass ? mass[j] : 1;
  for (t = 1; t < iterations; ++t) {
    row_sums(kernel, n, m, v, u);
    if (!is_in_range(u, n)) return 0;
    for (i = 0; i < n; ++i) u[i] = 1 / u[i];
    for (j = 0; j < m; ++j) v[j] = (mass ? mass[j] : 1) / (dot(kernel + j * n, u, n) + TINY);
    if (!is_in_range(v, m)) return 0;
  }
  row_sums(kernel, n, m, v, u);
  return is_in_range(u, n);
}

/* Iterations in logarithms, where nothing is lost: g = column update of f, plus log_mass if there
 * is one, f = row update of g. */
static void iterate_in_logarithms(const float* scores, size_t n, size_t m, const float* log_mass,
                                  int iterations, float* f, float* g, float* scratch) {
  size_t j;
  int t;
  for (t = 0; t < iterations; ++t) {
    column_update(scores, n, m, f, g);
    for (j = 0; log_mass && j < m; ++j) g[j] += log_mass[j];
    row_update(scores, n, m, g, f, scratch);
  }
}

/* The loop with slack: v = (1 + c) (n / m) / (sum_i K_ji u_i + s), s = c n / sum_j v_j. Without
 * iterations softmax. Returns 0 where a scaling leaves the range. */
static int slack_scaling(const float* kernel, size_t n, size_t m, float slack, int iterations,
                         float* v, float* scratch) {
  float* u = take(&scratch, n);
  size_t i, j;
  int t;
  fill(v, m, 1);
  for (t = 0; t < iterations; ++t) {
    float sum = 0, slack_row;
    row_sums(kernel, n, m, v, u);
    if (!is_in_range(u, n)) return 0;
    for (i = 0; i < n; ++i) u[i] = 1 / u[i];
    for (j = 0; j < m; ++j) sum += v[j];
    slack_row = slack * (float)n / sum;
    for (j = 0; j < m; ++j)
      v[j] = (1 + slack) * (float)n / (float)m / (dot(kernel + j * n, u, n) + slack_row);
    if (!is_in_range(v, m)) return 0;
  }
  row_sums(kernel, n, m, v, u);
  return is_in_range(u, n);
}

/* log(exp a + exp b) */
static float log_of_sum(float a, float b) {
  return a > b ? a + log1pf(expf(b - a)) : b + log1pf(expf(a - b));
}

/* The same in logarithms: g = log v, from scores with the start dual in them. */
static void slack_in_logarithms(const float* scores, size_t n, size_t m, float slack,
                                int iterations, float* f, float* g, float* scratch) {
  const float capacity = logf((1 + slack) * (float)n / (float)m), mass = logf(slack * (float)n);
  size_t j;
  int t;
  fill(g, m, 0);
  for (t = 0; t < iterations; ++t) {
    float total = g[0];
    row_update(scores, n, m, g, f, scratch);
    for (j = 1; j < m; ++j) total = log_of_sum(total, g[j]);
    column_update(scores, n, m, f, g);
    for (j = 0; j < m; ++j) g[j] = capacity - log_of_sum(-g[j], mass - total);
  }
}

/* output_i = sum_j K_ji v_j value_j / sum_j K_ji v_j */
static void close_plan(const float* kernel, size_t n, size_t m, const float* v, const float* values,
                       size_t stride, float* output, size_t output_stride, float* scratch) {
  float* sums = take(&scratch, n);
  size_t i, j, d;
  row_sums(kernel, n, m, v, sums);
  for (i = 0; i < n; ++i) fill(output + i * output_stride, HEAD_WIDTH, 0);
  for (j = 0; j < m; ++j)
    for (i = 0; i < n; ++i)
      add_scaled(kernel[j * n + i] * v[j], values + j * stride, HEAD_WIDTH,
                 output + i * output_stride);
  for (i = 0; i < n; ++i)
    for (d = 0; d < HEAD_WIDTH; ++d) output[i * output_stride + d] /= sums[i];
}

/* ---- Features of a map: numbers of every query, each up to a constant ---- */

static void sift_down(float* x, size_t root, size_t n) {
  const float value = x[root];
  size_t child;
  while ((child = 2 * root + 1) < n) {
    if (child + 1 < n && x[child] < x[child + 1]) ++child;
    if (!(value < x[child])) break;
    x[root] = x[child];
    root = child;
  }
  x[root] = value;
}

static void sort_ascending(float* x, size_t n) {
  size_t i;
  for (i = n / 2; i > 0; --i) sift_down(x, i - 1, n);
  for (i = n; i > 1; --i) {
    const float largest = x[0];
    x[0] = x[i - 1];
    x[i - 1] = largest;
    sift_down(x, 0, i - 1);
  }
}

/* The first place of an ascending array whose element is not below the value. */
static size_t place_of(const float* ascending, size_t n, float value) {
  size_t first = 0, last = n - 1;
  while (first < last) {
    const size_t middle = (first + last) / 2;
    if (ascending[middle] < value)
      first = middle + 1;
    else
      last = middle;
  }
  return first;
}

/* The Kantorovich potential between s and t on the line, for the cost -s t and equal masses. */
static void potential_of(const float* s, size_t n, const float* t, size_t m, float* out,
                         float* scratch) {
  float *points = take(&scratch, n), *targets = take(&scratch, m), *phi = take(&scratch, n);
  double sum = 0;
  size_t i;
  memcpy(points, s, n * sizeof(float));
  memcpy(targets, t, m * sizeof(float));
  sort_ascending(points, n);
  sort_ascending(targets, m);
  phi[0] = 0;
  for (i = 1; i < n; ++i) { /* the mass of points before i ends at i m, that of target k at k n */
    const size_t before = (i * m + n - 1) / n - 1, after = i * m / n;
    sum -= (double)(points[i] - points[i - 1]) * 0.5 * (double)(targets[before] + targets[after]);
    phi[i] = (float)sum;
  }
  for (i = 0; i < n; ++i) out[i] = phi[place_of(points, n, s[i])];
}

/* The dual of the loop against the means of the keys nearest to every prototype. */
static void landmark_dual(const attention_head* head, const head_side* x, const head_side* y,
                          float* f, float* scratch) {
  const size_t n = x->count, most = (size_t)head->landmarks;
  const int starts_on_rows = head->mode == MODE_KEY_BIAS;
  const int updates = head->landmark_loop - (starts_on_rows ? 0 : 1);
  float *centres = take(&scratch, most * HEAD_WIDTH), *sizes = take(&scratch, most);
  float *g = take(&scratch, most), *v = take(&scratch, most);
  float *scores = take(&scratch, most * n), *sums;
  size_t i, j, p, d, used = 0;
  fill(centres, most * HEAD_WIDTH, 0);
  fill(sizes, most, 0);
  for (j = 0; j < y->count; ++j) {
    const float* key = y->rows + j * HEAD_WIDTH;
    float best = 0;
    size_t nearest = 0;
    for (p = 0; p < most; ++p) {
      const float* prototype = head->prototypes + p * HEAD_WIDTH;
      const float closeness =
          dot(key, prototype, HEAD_WIDTH) - dot(prototype, prototype, HEAD_WIDTH) / 2;
      if (p == 0 || closeness > best) {
        best = closeness;
        nearest = p;
      }
    }
    sizes[nearest] += 1;
    add_scaled(1, key, HEAD_WIDTH, centres + nearest * HEAD_WIDTH);
  }
  for (p = 0; p < most; ++p) {
    if (sizes[p] == 0) continue;
    sizes[used] = sizes[p];
    for (d = 0; d < HEAD_WIDTH; ++d)
      centres[used * HEAD_WIDTH + d] = centres[p * HEAD_WIDTH + d] / sizes[p];
    ++used;
  }
  scores_of(x, centres, used, scores, scratch);
  if (starts_on_rows) {
    for (i = 0; i < n; ++i) f[i] = dot(x->rows + i * HEAD_WIDTH, y->mean, HEAD_WIDTH);
  } else {
    start_dual(centres, used, x->mean, g);
    for (p = 0; p < used; ++p) g[p] += logf(sizes[p]);
    row_update(scores, n, used, g, f, scratch);
  }
  if (updates == 0) return;
  column_kernel(scores, n, used, f);
  if (column_scaling(scores, n, used, sizes, updates, v, scratch)) {
    sums = take(&scratch, n);
    row_sums(scores, n, used, v, sums);
    for (i = 0; i < n; ++i) f[i] -= logf(sums[i]);
    return;
  }
  scores_of(x, centres, used, scores, scratch);
  for (p = 0; p < used; ++p) v[p] = logf(sizes[p]);
  iterate_in_logarithms(scores, n, used, v, updates, f, g, scratch);
}

/* -x_i . mean key under the weights that the mean query gives to the keys */
static void tilt_of(const head_side* x, const head_side* y, const float* start, float* out) {
  float mean[HEAD_WIDTH], top = start[0], sum = 0;
  size_t i, j;
  fill(mean, HEAD_WIDTH, 0);
  for (j = 1; j < y->count; ++j) top = start[j] > top ? start[j] : top;
  for (j = 0; j < y->count; ++j) {
    const float weight = expf(start[j] - top);
    sum += weight;
    add_scaled(weight, y->rows + j * HEAD_WIDTH, HEAD_WIDTH, mean);
  }
  for (i = 0; i < x->count; ++i) out[i] = -dot(x->rows + i * HEAD_WIDTH, mean, HEAD_WIDTH) / sum;
}

/* Writes the three kinds of features of all slices to `out` and returns where they end. */
static float* slice_features(const attention_head* head, const head_side* x, const head_side* y,
                             float* out, float* scratch) {
  const size_t n = x->count, m = y->count, count = (size_t)head->slices;
  float *potentials = out, *gaussians = potentials + (head->potential ? count * n : 0);
  float* lines = gaussians + (head->gaussian ? count * n : 0);
  float *s = take(&scratch, n), *t = take(&scratch, m);
  size_t l, i;
  for (l = 0; l < count; ++l) {
    start_dual(x->rows, n, head->query_slices + l * HEAD_WIDTH, s);
    start_dual(y->rows, m, head->key_slices + l * HEAD_WIDTH, t);
    if (head->potential) potential_of(s, n, t, m, potentials + l * n, scratch);
    if (head->gaussian) {
      const float alpha = dot(s, s, n) / (float)n, beta = dot(t, t, m) / (float)m;
      const float curvature = beta / (1 + sqrtf(1 + 4 * alpha * beta));
      for (i = 0; i < n; ++i) gaussians[l * n + i] = -curvature * s[i] * s[i];
    }
    if (head->linear) memcpy(lines + l * n, s, n * sizeof(float));
  }
  return lines + (head->linear ? count * n : 0);
}

static size_t feature_count(const attention_head* head) {
  return (size_t)(head->slices * (head->potential + head->gaussian + head->linear) + head->tilt +
                  head->log_sum_exp + head->first_dual + (head->landmarks > 0));
}

/* All features, a row for each: [P, n]. start: start_dual of y. scores: read by log-sum-exps. */
static void features_of(const attention_head* head, const head_side* x, const head_side* y,
                        const float* start, const float* scores, float* features, float* scratch) {
  const size_t n = x->count, m = y->count;
  float* out = slice_features(head, x, y, features, scratch);
  if (head->tilt) {
    tilt_of(x, y, start, out);
    out += n;
  }
  if (head->log_sum_exp) {
    float *rest = scratch, *zero = take(&rest, m);
    fill(zero, m, 0);
    row_update(scores, n, m, zero, out, rest);
    out += n;
  }
  if (head->first_dual) {
    row_update(scores, n, m, start, out, scratch);
    out += n;
  }
  if (head->landmarks > 0) landmark_dual(head, x, y, out, scratch);
}

/* f = sum_p w_p (feature p) */
static void weighted_features(const float* weights, const float* features, size_t count, size_t n,
                              float* f) {
  size_t p;
  fill(f, n, 0);
  for (p = 0; p < count; ++p) add_scaled(weights[p], features + p * n, n, f);
}

/* [d_1 .. d_t, features] w_t: [n]. */
static void correction(const attention_head* head, const float* weights, size_t t,
                       const float* differences, const float* features, size_t n, float* f) {
  size_t k;
  weighted_features(weights + t, features, feature_count(head), n, f);
  for (k = 0; k < t; ++k) add_scaled(weights[k], differences + k * n, n, f);
}

/* v after the corrected iterations of a map, whose first dual made the kernel: h = row(col(f)),
 * d_t = h - f, f = h + [d_1 .. d_t, features] w_t. Returns 0 where a scaling
 * leaves the range. */
static int corrected_scaling(const attention_head* head, const float* kernel, size_t n, size_t m,
                             const float* features, float* v, float* scratch) {
  const size_t count = feature_count(head), stages = (size_t)head->corrections;
  const float* weights = head->weights ? head->weights + count : NULL;
  float *differences = take(&scratch, stages * n), *f = take(&scratch, n);
  float *iterated = take(&scratch, n), *u = take(&scratch, n);
  size_t i, j, t;
  fill(f, n, 0);
  for (t = 1; t <= stages; ++t) {
    float top;
    row_sums(kernel, n, m, v, iterated);
    if (!is_in_range(iterated, n)) return 0;
    for (i = 0; i < n; ++i) {
      iterated[i] = -logf(iterated[i]);
      differences[(t - 1) * n + i] = iterated[i] - f[i];
    }
    correction(head, weights, t, differences, features, n, f);
    add_scaled(1, iterated, n, f);
    top = f[0];
    for (i = 1; i < n; ++i) top = f[i] > top ? f[i] : top;
    for (i = 0; i < n; ++i) u[i] = expf(f[i] - top);
    for (j = 0; j < m; ++j) v[j] = 1 / (dot(kernel + j * n, u, n) + TINY);
    if (!is_in_range(u, n) || !is_in_range(v, m)) return 0;
    weights += t + count;
  }
  row_sums(kernel, n, m, v, u);
  return is_in_range(u, n);
}

/* The same in logarithms, where no row vanishes: makes `scores` the kernel of the closed plan. */
static void close_in_logarithms(const attention_head* head, size_t n, size_t m,
                                const float* features, float* f, float* scores, float* scratch) {
  const size_t count = feature_count(head), stages = (size_t)head->corrections;
  const float* weights = head->weights ? head->weights + count : NULL;
  float *g = take(&scratch, m), *h = take(&scratch, n);
  float* differences = take(&scratch, stages * n);
  size_t i, t;
  for (t = 1; t <= stages; ++t) {
    column_update(scores, n, m, f, g);
    row_update(scores, n, m, g, h, scratch);
    for (i = 0; i < n; ++i) differences[(t - 1) * n + i] = h[i] - f[i];
    correction(head, weights, t, differences, features, n, f);
    add_scaled(1, h, n, f);
    weights += t + count;
  }
  column_update(scores, n, m, f, g);
  row_kernel(scores, n, m, g, scratch);
}

/* Makes `scores` the kernel of the closed plan, whose columns v scales. */
static void close_map(const attention_head* head, const head_side* x, const head_side* y,
                      const float* start, float* scores, float* v, float* scratch) {
  const size_t n = x->count, m = y->count, count = feature_count(head);
  float *f = take(&scratch, n), *features = take(&scratch, count * n);
  fill(f, n, 0);
  fill(v, m, 1);
  if (count > 0) {
    features_of(head, x, y, start, scores, features, scratch);
    weighted_features(head->weights, features, count, n, f);
  }
  column_kernel(scores, n, m, f);
  if (corrected_scaling(head, scores, n, m, features, v, scratch)) return;
  scores_of(x, y->rows, m, scores, scratch);
  fill(v, m, 1);
  close_in_logarithms(head, n, m, features, f, scores, scratch);
}

/* Softmax attention with the key bias that a map with queries and keys exchanged predicts. */
static void bias_kernel(const attention_head* head, const head_side* x, const head_side* y,
                        float* scores, float* v, float* scratch) {
  const size_t n = x->count, m = y->count, count = feature_count(head);
  float *bias = take(&scratch, m), *start = take(&scratch, n);
  float* features = take(&scratch, count * m);
  start_dual(x->rows, n, y->mean, start);
  features_of(head, y, x, start, NULL, features, scratch);
  weighted_features(head->weights, features, count, m, bias);
  row_kernel(scores, n, m, bias, scratch);
  fill(v, m, 1);
}

/* Makes `scores` the kernel of the plan of softmax or of the loop with slack, whose columns v
 * scales. */
static void close_slack_loop(const attention_head* head, const head_side* x, const head_side* y,
                             const float* start, float* scores, float* v, float* scratch) {
  const size_t n = x->count, m = y->count;
  float *f = take(&scratch, n), *g = take(&scratch, m);
  size_t i, j;
  row_kernel(scores, n, m, start, scratch);
  if (slack_scaling(scores, n, m, head->slack, head->iterations, v, scratch)) return;
  scores_of(x, y->rows, m, scores, scratch);
  for (j = 0; j < m; ++j)
    for (i = 0; i < n; ++i) scores[j * n + i] += start[j];
  slack_in_logarithms(scores, n, m, head->slack, head->iterations, f, g, scratch);
  row_kernel(scores, n, m, g, scratch);
  fill(v, m, 1);
}

/* Makes `scores` the kernel of the loop's plan, whose columns v scales. */
static void close_loop(const attention_head* head, const head_side* x, const head_side* y,
                       const float* start, float* scores, float* v, float* scratch) {
  const size_t n = x->count, m = y->count;
  float *f = take(&scratch, n), *g = take(&scratch, m);
  row_update(scores, n, m, start, f, scratch);
  column_kernel(scores, n, m, f);
  if (column_scaling(scores, n, m, NULL, head->iterations, v, scratch)) return;
  scores_of(x, y->rows, m, scores, scratch);
  row_update(scores, n, m, start, f, scratch);
  iterate_in_logarithms(scores, n, m, NULL, head->iterations, f, g, scratch);
  row_kernel(scores, n, m, g, scratch);
  fill(v, m, 1);
}

/* Attention of one head: rows of its first columns, `stride` apart. output must not be an input. */
static void attend(const attention_head* head, const float* queries, size_t n, const float* keys,
                   const float* values, size_t m, size_t stride, float* output,
                   size_t output_stride, float* scratch) {
  head_side x, y;
  float *scores, *start, *v;
  size_t i;
  if (n == 0) return;
  if (m == 0) {
    for (i = 0; i < n; ++i) fill(output + i * output_stride, HEAD_WIDTH, 0);
    return;
  }
  x = centred(queries, stride, n, head->root, &scratch);
  y = centred(keys, stride, m, head->root, &scratch);
  scores = take(&scratch, m * n);
  start = take(&scratch, m);
  v = take(&scratch, m);
  scores_of(&x, y.rows, m, scores, scratch);
  start_dual(y.rows, m, x.mean, start);
  if (head->mode == MODE_ROW_DUAL)
    close_map(head, &x, &y, start, scores, v, scratch);
  else if (head->mode == MODE_KEY_BIAS)
    bias_kernel(head, &x, &y, scores, v, scratch);
  else if (head->iterations == 0 || head->slack > 0)
    close_slack_loop(head, &x, &y, start, scores, v, scratch);
  else
    close_loop(head, &x, &y, start, scores, v, scratch);
  close_plan(scores, n, m, v, values, stride, output, output_stride, scratch);
}
