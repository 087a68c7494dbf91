/* ---- Sets of points ---- */

typedef float SEQUENCE_VALUE;

static int are_values(const float* points, size_t length) {
  (void)points;
  (void)length;
  return 1;
}

/* A point x with sin(6 x), cos(6 x), sin(12 x), ... */
static void embed_tokens(const float* points, size_t length, float* rows, float* scratch) {
  float* features = take(&scratch, POINT_FEATURES);
  size_t i, c;
  int k;
  for (i = 0; i < length; ++i) {
    const float* point = points + i * POINT_WIDTH;
    float *out = features, frequency = 6;
    for (c = 0; c < POINT_WIDTH; ++c) *out++ = point[c];
    for (k = 0; k < POINT_FREQUENCIES; ++k, frequency *= 2) {
      for (c = 0; c < POINT_WIDTH; ++c) *out++ = sinf(frequency * point[c]);
      for (c = 0; c < POINT_WIDTH; ++c) *out++ = cosf(frequency * point[c]);
    }
    apply_linear(&token_embedding, features, 1, POINT_FEATURES, WIDTH, 0, rows + i * WIDTH);
  }
}
