/* ---- A Transformer. W = WIDTH; tokens of an example are rows [n, W]. ---- */

/* y = x weight + bias, added to what y holds where `adds`. x: [n, in], y: [n, out]. */
static void apply_linear(const affine* linear, const float* x, size_t n, size_t in, size_t out,
                         int adds, float* y) {
  size_t i, k;
  for (i = 0; i < n; ++i) {
    float* row = y + i * out;
    if (!adds) fill(row, out, 0);
    add_scaled(1, linear->bias, out, row);
    for (k = 0; k < in; ++k) add_scaled(x[i * in + k], linear->weight + k * out, out, row);
  }
}

/* Layer norm of n rows; y may be x. */
static void apply_norm(const affine* norm, const float* x, size_t n, float* y) {
  size_t i, k;
  for (i = 0; i < n; ++i) {
    const float* row = x + i * WIDTH;
    double mean = 0, variance = 0;
    float shift, factor;
    for (k = 0; k < WIDTH; ++k) mean += (double)row[k];
    mean /= WIDTH;
    for (k = 0; k < WIDTH; ++k) variance += ((double)row[k] - mean) * ((double)row[k] - mean);
    factor = (float)(1 / sqrt(variance / WIDTH + NORM_EPSILON));
    shift = (float)mean;
    for (k = 0; k < WIDTH; ++k)
      y[i * WIDTH + k] = (row[k] - shift) * factor * norm->weight[k] + norm->bias[k];
  }
}

/* A ReLU network of its own for every channel: REGION_DEPTH hidden layers of four neurons. */
static void apply_regions(const float* weights, float* x, size_t n) {
  size_t i, c;
  int k, l, from;
  for (i = 0; i < n; ++i)
    for (c = 0; c < HIDDEN; ++c) {
      const float* w = weights + c;
      float *value = x + i * HIDDEN + c, neurons[4], next[4], sum;
      for (k = 0; k < 4; ++k) {
        sum = *value * w[k * HIDDEN] + w[(4 + k) * HIDDEN];
        neurons[k] = sum > 0 ? sum : 0;
      }
      w += 8 * HIDDEN;
      for (l = 1; l < REGION_DEPTH; ++l, w += 20 * HIDDEN) {
        for (k = 0; k < 4; ++k) {
          sum = w[(16 + k) * HIDDEN];
          for (from = 0; from < 4; ++from) sum += neurons[from] * w[(4 * k + from) * HIDDEN];
          next[k] = sum > 0 ? sum : 0;
        }
        memcpy(neurons, next, sizeof neurons);
      }
      sum = w[4 * HIDDEN];
      for (k = 0; k < 4; ++k) sum += neurons[k] * w[k * HIDDEN];
      *value = sum;
    }
}

static void activate(const float* regions, float* x, size_t n) {
  size_t i;
  if (regions) {
    apply_regions(regions, x, n);
    return;
  }
  for (i = 0; i < n * HIDDEN; ++i) {
    const float value = x[i];
    if (ACTIVATION == ACTIVATION_RELU)
      x[i] = value > 0 ? value : 0;
    else if (ACTIVATION == ACTIVATION_GELU_ERF)
      x[i] = 0.5f * value * erfcf(-0.70710678f * value);
    else /* GELU with the hyperbolic tangent is x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)) */
      x[i] = value / (1 + expf(-1.5957691f * (value + 0.044715f * value * value * value)));
  }
}

/* rows: [n, W], in place. */
static void run_layer(const encoder_layer* layer, float* rows, size_t n, float* scratch) {
  float* normalised = take(&scratch, n * WIDTH);
  float* wide = take(&scratch, n * (HIDDEN > 3 * WIDTH ? HIDDEN : 3 * WIDTH));
  const float* read = NORM_FIRST ? normalised : rows;
  size_t h;
  if (NORM_FIRST) apply_norm(&layer->attention_norm, rows, n, normalised);
  apply_linear(&layer->queries_keys_values, read, n, WIDTH, 3 * WIDTH, 0, wide);
  for (h = 0; h < HEADS; ++h) {
    const float* queries = wide + h * HEAD_WIDTH;
    attend(layer->heads + h, queries, n, queries + WIDTH, queries + 2 * WIDTH, n, 3 * WIDTH,
           normalised + h * HEAD_WIDTH, WIDTH, scratch);
  }
  apply_linear(&layer->output, normalised, n, WIDTH, WIDTH, 1, rows);
  apply_norm(NORM_FIRST ? &layer->feed_forward_norm : &layer->attention_norm, rows, n,
             NORM_FIRST ? normalised : rows);
  apply_linear(&layer->up, read, n, WIDTH, HIDDEN, 0, wide);
  activate(layer->regions, wide, n);
  apply_linear(&layer->down, wide, n, HIDDEN, WIDTH, 1, rows);
  if (!NORM_FIRST) apply_norm(&layer->feed_forward_norm, rows, n, rows);
}

/* rows: [n, W] -> logits: [CLASSES], or [n, CLASSES] where every token is classified. */
static void classify(float* rows, size_t n, float* logits, float* scratch) {
  float *pooled = take(&scratch, WIDTH), *out = take(&scratch, WIDTH), *read = pooled;
  size_t i;
  if (FINAL_NORM) apply_norm(&final_norm, rows, n, rows);
  fill(pooled, WIDTH, 0);
  if (POOLING == POOLING_FIRST && n > 0)
    memcpy(pooled, rows, WIDTH * sizeof(float));
  else if (POOLING == POOLING_MEAN && n > 0)
    for (i = 0; i < n; ++i) add_scaled(1 / (float)n, rows + i * WIDTH, WIDTH, pooled);
  else if (POOLING == POOLING_NONE)
    read = rows;
  if (POOLER) {
    const size_t count = POOLING == POOLING_NONE ? n : 1;
    size_t k;
    for (i = 0; i < count; ++i) {
      apply_linear(&pooler, read + i * WIDTH, 1, WIDTH, WIDTH, 0, out);
      for (k = 0; k < WIDTH; ++k) read[i * WIDTH + k] = tanhf(out[k]);
    }
  }
  apply_linear(&classifier, read, POOLING == POOLING_NONE ? n : 1, WIDTH, CLASSES, 0, logits);
}

/* Class token, positions and the norm of embedded tokens. rows: [n, W], the first n - CLASS_TOKEN
 * of which are still to be moved. */
static void finish_embedding(float* rows, size_t n) {
  if (CLASS_TOKEN) {
    memmove(rows + WIDTH, rows, (n - 1) * WIDTH * sizeof(float));
    fill(rows, WIDTH, 0);
    add_scaled(1, class_token, WIDTH, rows);
  }
  if (POSITIONS) add_scaled(1, positions, n * WIDTH, rows);
  if (EMBEDDING_NORM) apply_norm(&embedding_norm, rows, n, rows);
}

/* Embedded tokens [n, W] -> logits. */
static void run_network(float* rows, size_t n, float* logits, float* scratch) {
  size_t l;
  finish_embedding(rows, n);
  for (l = 0; l < LAYERS; ++l) run_layer(encoder_layers + l, rows, n, scratch);
  classify(rows, n, logits, scratch);
}
