/* ---- Texts: token ids ---- */

typedef int SEQUENCE_VALUE;

static int are_values(const int* ids, size_t length) {
  size_t i;
  for (i = 0; i < length; ++i)
    if (ids[i] < 0 || ids[i] >= VOCABULARY) return 0;
  return 1;
}

static void embed_tokens(const int* ids, size_t length, float* rows, float* scratch) {
  size_t i, separators = 0;
  (void)scratch;
  for (i = 0; i < length; ++i) {
    memcpy(rows + i * WIDTH, token_table + (size_t)ids[i] * WIDTH, WIDTH * sizeof(float));
    if (SEPARATOR < 0) continue;
    if (separators > 0) add_scaled(1, second_segment, WIDTH, rows + i * WIDTH);
    if (ids[i] == SEPARATOR) ++separators;
  }
}
