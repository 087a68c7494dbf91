
/* Whether lengths and tokens are what embed_tokens and the scratch can take. */
static int is_readable(const SEQUENCE_VALUE* values, const int* lengths, int count, int tokens) {
  int example, length;
  if (count < 0 || tokens < 0 || (POSITIONS && tokens > MOST_TOKENS)) return 0;
  for (example = 0; example < count; ++example) {
    length = lengths ? lengths[example] : tokens;
    if (length < 0 || length > tokens) return 0;
    if (!are_values(values + (size_t)example * (size_t)tokens * SEQUENCE_WIDTH, (size_t)length))
      return 0;
  }
  return 1;
}

int NAME_forward(const SEQUENCE_VALUE* values, const int* lengths, int count, int tokens,
                 float* logits, float* scratch) {
  const size_t most = (size_t)tokens, logit_rows = POOLING == POOLING_NONE ? most : 1;
  float* rows = take(&scratch, (most + 1) * WIDTH);
  int example;
  if (!is_readable(values, lengths, count, tokens)) return -1;
  for (example = 0; example < count; ++example) {
    const size_t length = lengths ? (size_t)lengths[example] : most;
    embed_tokens(values, length, rows, scratch);
    fill(logits, logit_rows * CLASSES, 0);
    run_network(rows, length + CLASS_TOKEN, logits, scratch);
    values += most * SEQUENCE_WIDTH;
    logits += logit_rows * CLASSES;
  }
  return 0;
}
