#include "autodiff/transport_ops.h"

#include <algorithm>

#include "attention/transport/transport_layer.h"

namespace asap::autodiff {

template <class T>
Var<T> log_transport_plan(Var<T> scores, Var<T> bin, const Marginals<T>& marginals, int iterations,
                          TransportEvidence& evidence) {
  base::check(scores.shape().rank() == 2 && (!bin.valid() || bin.shape().size() == 1),
              "log_transport_plan: expected scores [N, M] and a bin [1]");
  Tape<T>& tape = scores.tape();
  // An input that is not there is replaced by one whose gradient nobody wants.
  const Var<T> bin_input = bin.valid() ? bin : tape.constant(scores.value());
  const auto problem_of = [has_bin = bin.valid(), marginals](tensor::TensorView<const T> s,
                                                             tensor::TensorView<const T> z) {
    attention::TransportProblem<T> problem{.scores = {s.data, s.shape[0], s.shape[1]},
                                           .row_marginals = marginals.rows,
                                           .column_marginals = marginals.columns};
    if (has_bin) problem.bin = z.data[0];
    return problem;
  };
  const attention::TransportProblem<T> problem = problem_of(scores.value(), bin_input.value());
  const tensor::TensorView<T> out = tape.allocate({problem.rows(), problem.columns()});
  const attention::TransportDuals<T> duals{tape.arena().template vector<T>(problem.rows()),
                                           tape.arena().template vector<T>(problem.columns())};
  const attention::TransportState<T> forward =
      attention::transport<T>(problem, iterations, duals, tape.arena());
  const tensor::MatrixView<T> plan(out.data, problem.rows(), problem.columns());
  attention::log_transport_plan<T>(problem, {duals.rows, duals.columns}, plan);
  evidence.problems += 1;
  evidence.log_domain_problems += forward.log_domain ? 1 : 0;

  return tape.record(out, {scores, bin_input}, [=](Pullback<T>& p) {
    const attention::TransportProblem<T> problem = problem_of(p.input(0), p.input(1));
    attention::TransportState<T> state = forward;
    attention::TransportGradients<T> gradients;
    const tensor::MatrixView<T> unwanted(
        p.wants(0) ? nullptr : p.arena().template take<T>(p.input(0).size()), problem.scores.rows,
        problem.scores.cols);
    gradients.scores = unwanted;
    if (p.wants(0)) {
      const GradientSlot<T> slot = p.slot(0);
      if (!slot.accumulate) std::ranges::fill(slot.view.flat(), T(0));
      gradients.scores.data = slot.view.data;
    } else {
      std::fill_n(unwanted.data, p.input(0).size(), T(0));
    }
    const tensor::TensorView<const T> d_plan = p.output_gradient();
    attention::log_transport_plan_vjp<T>(
        problem, state, tensor::MatrixView<const T>(d_plan.data, problem.rows(), problem.columns()),
        gradients, p.arena());
    if (problem.bin && p.wants(1)) {
      const GradientSlot<T> slot = p.slot(1);
      slot.view.data[0] =
          (slot.accumulate ? slot.view.data[0] : T(0)) + static_cast<T>(gradients.bin);
    }
  });
}

template <class T>
Var<T> log_dustbin_plan(Var<T> scores, Var<T> bin, int iterations, TransportEvidence& evidence) {
  base::check(scores.shape().rank() == 2, "log_dustbin_plan: expected scores [N, M]");
  tensor::Arena& arena = scores.tape().arena();
  const tensor::VectorView<T> rows = arena.template vector<T>(scores.shape()[0] + 1);
  const tensor::VectorView<T> columns = arena.template vector<T>(scores.shape()[1] + 1);
  attention::dustbin_marginals<T>(rows, columns);
  return log_transport_plan<T>(scores, bin, {rows, columns}, iterations, evidence);
}

#define ASAP_INSTANTIATE(T)                                                       \
  template Var<T> log_transport_plan<T>(Var<T>, Var<T>, const Marginals<T>&, int, \
                                        TransportEvidence&);                      \
  template Var<T> log_dustbin_plan<T>(Var<T>, Var<T>, int, TransportEvidence&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
