/* ---- Images ---- */

static void embed_image(const float* pixels, float* rows, float* scratch) {
  float* patch = take(&scratch, PATCH_SIZE);
  size_t y, x, channel, dy, dx;
  for (y = 0; y < IMAGE_HEIGHT; y += PATCH)
    for (x = 0; x < IMAGE_WIDTH; x += PATCH, rows += WIDTH) {
      float* out = patch;
      for (channel = 0; channel < CHANNELS; ++channel)
        for (dy = 0; dy < PATCH; ++dy)
          for (dx = 0; dx < PATCH; ++dx) {
            const float pixel = pixels[(channel * IMAGE_HEIGHT + y + dy) * IMAGE_WIDTH + x + dx];
            *out++ = (float)(((double)pixel / 255 - PIXEL_MEAN) / PIXEL_DEVIATION);
          }
      apply_linear(&token_embedding, patch, 1, PATCH_SIZE, WIDTH, 0, rows);
    }
}

void NAME_forward(const float* pixels, int count, float* logits, float* scratch) {
  float* rows = take(&scratch, TOKENS * WIDTH);
  int example;
  for (example = 0; example < count; ++example) {
    embed_image(pixels, rows, scratch);
    run_network(rows, TOKENS, logits, scratch);
    pixels += CHANNELS * IMAGE_HEIGHT * IMAGE_WIDTH;
    logits += CLASSES;
  }
}
