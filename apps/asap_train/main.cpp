// asap-train: trains a Transformer with softmax or Sinkhorn attention and leaves a run folder.
#include "asap_train/train_command.h"

int main(int argc, char** argv) {
  return asap::cli::run_program(
      {.name = "asap-train",
       .summary = "Train a Transformer with doubly stochastic (Sinkhorn) or softmax attention.",
       .description =
           "Reads images, texts or sets of points from files, or draws its own examples, and "
           "trains a Transformer whose attention plans are doubly stochastic, or another kind of "
           "attention. The result is a run folder with the configuration, the metrics, the "
           "checkpoints and summary.json. A training that was stopped continues with --resume, to "
           "the last byte as if it had not been.",
       .commands = {&asap::asap_train::train_command}},
      argc, argv);
}
