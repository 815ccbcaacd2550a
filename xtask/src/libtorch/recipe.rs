//! What is taken, from which wheels, and what it must be.

use scarce_wheels::Library;

/// The PyTorch that `tch` of the root manifest is made for.
pub(crate) const VERSION: &str = "2.13.0";

/// Raised when anything here or in `unpack` changes, so that older set-ups are redone.
pub(crate) const REVISION: u32 = 1;

/// Requirements, as pip reads them. `libtorch_cpu.so` of the wheel needs two small
/// libraries of CUDA's, on machines without a GPU too, and nothing else of it.
pub(crate) const WHEELS: [&str; 3] =
    ["torch==2.13.0", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"];

/// All that is needed to compute on the processor.
pub(crate) const LIBRARIES: [Library; 5] = [
    Library {
        member: "torch/lib/libtorch_cpu.so",
        sha256: "9b8ecee6ebc8419142714302c8a7b61b2e1e52a2882bce6ab1e1587ed39c07e9",
    },
    Library {
        member: "torch/lib/libc10.so",
        sha256: "b83ea50e9171c7e3455c19f9ff2c7d21d457a7b8231e9c4ea1b6e032ae1156d5",
    },
    Library {
        member: "torch/lib/libgomp.so.1",
        sha256: "e28fb2896a3d612b46a27d7f8ef840d34c9efbc29b70a044c42095fb94856890",
    },
    Library {
        member: "nvidia/cu13/lib/libcudart.so.13",
        sha256: "96c42e418cec19054186b9429c321603cc190bf26a18104e19408117a2a817b0",
    },
    Library {
        member: "nvidia/cu13/lib/libcupti.so.13",
        sha256: "e2f9ed861fe27c492b8bb52b5e3220ef5120f3edcda36312e96b7fd8a186be3e",
    },
];

/// Symbols and debugging data of this one weigh 90 MB.
pub(crate) const TO_STRIP: &str = "libtorch_cpu.so";

/// What to do where libtorch cannot be provisioned.
pub(crate) const WAYS_OUT: &str = "  \
  - set `LIBTORCH=/path/to/libtorch` to an unpacked libtorch 2.13.0, or
  - set `LIBTORCH_USE_PYTORCH=1` in a Python environment that has PyTorch 2.13.0, or
  - set `SCARCE_WHEELS=/folder` to a folder that holds the wheels (x86_64, Python 3.12) of
    torch 2.13.0, nvidia-cuda-runtime 13.0.96 and nvidia-cuda-cupti 13.0.85";
