/* ---- Layers of an operator ---- */

int NAME_attend(int layer, const float* queries, int n, const float* keys, const float* values,
                int m, float* output, float* scratch) {
  const size_t stride = HEADS * HEAD_WIDTH;
  size_t h;
  if (layer < 0 || layer >= LAYERS || n < 0 || m < 0) return -1;
  for (h = 0; h < HEADS; ++h) {
    const size_t first = h * HEAD_WIDTH;
    attend(operator_layers[layer] + h, queries + first, (size_t)n, keys + first, values + first,
           (size_t)m, stride, output + first, stride, scratch);
  }
  return 0;
}
