// asap-train: trains a Transformer with softmax or Sinkhorn attention and leaves a run folder.
#include "asap_train/train_command.h"

int main(int argc, char** argv) {
  return asap::cli::run_program(
      {.name = "asap-train",
       .summary = "Train a Transformer with doubly stochastic (Sinkhorn) or softmax attention.",
       .commands = {&asap::asap_train::train_command}},
      argc, argv);
}
