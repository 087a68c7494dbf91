
/* ---- Tables of a Transformer ---- */

typedef struct {
  const float* weight; /* of a linear layer [in, out], of a norm [W] */
  const float* bias;
} affine;

typedef struct {
  affine attention_norm, queries_keys_values, output, feed_forward_norm, up, down;
  const float* regions; /* of learned activations, [numbers of a channel, HIDDEN]; else NULL */
  const attention_head* heads;
} encoder_layer;
