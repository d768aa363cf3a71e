// What libtorch can do in one call and tch 0.22 does not expose: its generator drops functions with an output mask.
// Every function catches all exceptions: none may cross into Rust. The message, if any, is freed by driftscope_free.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <cstring>
#include <cstdlib>
#include <exception>
#include <optional>
#include <tuple>
#include <vector>

extern "C" {

// Gradients of conv2d (no bias, dilation 1, groups 1) for the input and/or the weight, in one call.
// out[0], out[1]: new tensors owned by the caller, or null where not wanted.
int driftscope_conv2d_backward(const at::Tensor *output_gradient, const at::Tensor *input, const at::Tensor *weight,
                               const int64_t *stride, const int64_t *padding, bool want_input, bool want_weight,
                               at::Tensor **out, char **error) {
    try {
        c10::AutoGradMode no_grad(false);
        const std::vector<int64_t> strides(stride, stride + 2), paddings(padding, padding + 2), ones{1, 1}, zeros{0, 0};
        auto gradients = at::convolution_backward(*output_gradient, *input, *weight, std::nullopt, strides, paddings, ones,
                                                  /*transposed=*/false, zeros, /*groups=*/1, {want_input, want_weight, false});
        out[0] = want_input ? new at::Tensor(std::get<0>(gradients)) : nullptr;
        out[1] = want_weight ? new at::Tensor(std::get<1>(gradients)) : nullptr;
        return 0;
    } catch (const std::exception &failure) {
        *error = strdup(failure.what());
    } catch (...) {
        *error = strdup("unknown C++ exception");
    }
    return 1;
}

void driftscope_free(char *message) { free(message); }
}
