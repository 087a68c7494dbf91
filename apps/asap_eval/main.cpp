// asap-eval: compares attention operators inside a trained network, measures what they cost, and
// answers new examples.
#include "asap_eval/commands.h"

int main(int argc, char** argv) {
  using namespace asap::asap_eval;
  return asap::cli::run_program(
      {.name = "asap-eval",
       .summary = "Compare attention operators inside a trained network (accuracy, speed, plan "
                  "error), and "
                  "classify new data with it.",
       .description =
           "Reads the run folder of asap-train or the file of asap-eval bundle, and the operator "
           "folder of asap-compile. Compares operators in the place of the network's attention "
           "without retraining, answers new examples, and shows what attention costs and does.",
       .commands = {&compare_command, &predict_command, &bench_command, &diagnose_command,
                    &drift_command, &regions_command, &export_command, &bundle_command}},
      argc, argv);
}
