/* consumer BUNDLE TEXTS NETWORK: answers the lines of a file, then prints values of a network of
 * relu-fit and attention on small arrays, one number a line. */
#include <asap/asap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 1000, LONGEST_LINE = 4096 };

static void check(asap_status status, const asap_error* error) {
  if (status == ASAP_OK) return;
  fprintf(stderr, "status %d: %s\n", (int)status, error->message);
  exit(1);
}

static void predict(const char* bundle, const char* file) {
  static char lines[MOST_LINES][LONGEST_LINE];
  const char* texts[MOST_LINES];
  size_t count = 0, i;
  asap_error error;
  asap_model* model = NULL;
  asap_model_info info;
  asap_answers answers = {NULL, NULL, NULL, NULL};
  FILE* stream = fopen(file, "r");
  if (!stream) exit(2);
  while (count < MOST_LINES && fgets(lines[count], LONGEST_LINE, stream)) {
    lines[count][strcspn(lines[count], "\n")] = '\0';
    texts[count] = lines[count];
    ++count;
  }
  fclose(stream);
  check(asap_model_load(bundle, NULL, &model, &error), &error);
  check(asap_model_describe(model, &info, &error), &error);
  answers.probabilities = malloc(count * (size_t)info.classes * sizeof(float));
  answers.classes = malloc(count * sizeof(int32_t));
  if (!answers.probabilities || !answers.classes) exit(2);
  check(asap_predict_texts(model, texts, NULL, count, &answers, &error), &error);
  for (i = 0; i < count; ++i)
    printf("%s %.9g\n", asap_model_class_name(model, answers.classes[i]),
           (double)answers.probabilities[i * (size_t)info.classes + (size_t)answers.classes[i]]);
  free(answers.probabilities);
  free(answers.classes);
  asap_model_free(model);
}

static void evaluate(const char* path) {
  const double x[3] = {0.25, 0.5, 1};
  double y[3];
  int i;
  asap_error error;
  asap_network* network = NULL;
  check(asap_network_load(path, &network, &error), &error);
  check(asap_network_values(network, x, 3, y, &error), &error);
  for (i = 0; i < 3; ++i) printf("%.17g\n", y[i]);
  asap_network_free(network);
}

static void attend(void) {
  float q[6], k[8], v[4], out[3];
  int i;
  asap_error error;
  asap_attention attention;
  asap_result output;
  for (i = 0; i < 6; ++i) q[i] = (float)i / 4 - 1;
  for (i = 0; i < 8; ++i) k[i] = 1 - (float)i / 8;
  for (i = 0; i < 4; ++i) v[i] = (float)(i * i);
  memset(&attention, 0, sizeof attention);
  attention.examples = attention.heads = 1;
  attention.query_tokens = 3;
  attention.key_tokens = 4;
  attention.width = 2;
  attention.value_width = 1;
  attention.queries.data = q;
  attention.queries.token_stride = 2;
  attention.keys.data = k;
  attention.keys.token_stride = 2;
  attention.values.data = v;
  attention.values.token_stride = 1;
  output.data = out;
  output.example_stride = output.head_stride = 0;
  output.token_stride = 1;
  check(asap_sinkhorn_attention(&attention, 5, &output, &error), &error);
  for (i = 0; i < 3; ++i) printf("%.9g\n", (double)out[i]);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  predict(argv[1], argv[2]);
  evaluate(argv[3]);
  attend();
  return 0;
}
