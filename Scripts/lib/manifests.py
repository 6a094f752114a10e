# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Reads the manifests of Examples/Deployment, checks what a schema does not, and prints what the container is given.

A line each: "env NAME=VALUE", "mount KIND PATH", "user UID:GID", "grace SECONDS", and "config NAME" for a file of the
ConfigMap, which is written to the folder that is the last argument. The first is the folder that users apply, the second
the Secret's form, which is not in there.
"""

import pathlib
import sys

import yaml

# Of the order service: maximumGracefulShutdownDuration, and delivery.shutdownTimeout unless it is set.
SHUTDOWN, FLUSH = 15, 10


def read(path):
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(path.read_text())}


def main(folder, secret, target):
    objects = {}
    for path in sorted(pathlib.Path(folder).glob("*.yaml")):
        objects |= read(path)
    assert not any(kind == "Secret" for kind, _ in objects), "whoever applies the folder would overwrite the real Secret"
    objects |= read(pathlib.Path(secret))
    deployment = next(each for (kind, _), each in objects.items() if kind == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    container, = pod["containers"]
    env = {each["name"]: each["value"] for each in container["env"]}
    for source in container["envFrom"]:
        env |= objects["Secret", source["secretRef"]["name"]]["stringData"]

    security = pod["securityContext"] | container["securityContext"]
    assert security["runAsNonRoot"] and security["runAsUser"] > 0 and security["readOnlyRootFilesystem"]
    assert security["fsGroup"] == security["runAsGroup"] and env["WEBTRACKING_SPOOL_PERMITS"] == "group"
    grace = pod["terminationGracePeriodSeconds"]
    flush = float(env.get("WEBTRACKING_DELIVERY_SHUTDOWN_TIMEOUT_SECONDS", FLUSH))
    needed = container["lifecycle"]["preStop"]["sleep"]["seconds"] + SHUTDOWN + flush
    assert grace > needed, f"terminationGracePeriodSeconds is {grace}, and the way to the end may take {needed} s"

    volumes = {each["name"]: each for each in pod["volumes"]}
    mounts = {}
    for mount in container["volumeMounts"]:
        assert "subPath" not in mount, f"{mount['mountPath']} would not be followed"
        volume = volumes[mount["name"]]
        if claim := volume.get("persistentVolumeClaim"):
            objects["PersistentVolumeClaim", claim["claimName"]]
            mounts["state"] = mount["mountPath"]
        else:
            data = objects["ConfigMap", volume["configMap"]["name"]]["data"]
            mounts["config"] = mount["mountPath"]
            for name, text in data.items():
                (pathlib.Path(target) / name).write_text(text)
                print("config", name)
                assert env["CONFIG_FILE"] == f"{mount['mountPath']}/{name}"
    # In the volume, but not its mount point.
    assert pathlib.PurePath(mounts["state"]) in pathlib.PurePath(env["WEBTRACKING_SPOOL_DIRECTORY"]).parents

    print(f"user {security['runAsUser']}:{security['runAsGroup']}")
    print("grace", grace)
    for item in mounts.items():
        print("mount", *item)
    for item in env.items():
        print("env", "=".join(item))


if __name__ == "__main__":
    main(*sys.argv[1:])
